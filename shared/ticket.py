"""Session tickets: one session, one node, one boot of it, once. EdDSA JSON Web Tokens (RFC 8037).

A ticket is only as good as the reservation that it names: the node redeems it once, against a seat
that it still holds, on its own monotonic clock. The wall clock in `exp` is a second fence.
"""

import base64
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import TicketRefused
from shared.regions.model import GENERAL

ISSUER = "heliovox-control"
LEEWAY_S = 60.0
"""How far clocks of centre and node may be apart."""
_ALGORITHM = "EdDSA"


class Ticket(msgspec.Struct, frozen=True):
    """What a ticket permits."""

    session: str
    reservation: str
    node: str
    boot: str
    kind: str
    language: str
    model: str | None
    policy: str
    policy_version: str
    tenant: str
    decision: str
    iat: int
    exp: int
    """Seconds since 1970, as RFC 7519 has them."""
    relay: bool = False
    """Whether another node may bring it, which passes the caller's audio on."""
    data: str = GENERAL
    """The kind of data that the seat was found for."""
    resumes: int = 0
    """The session goes on, by the recovery token of this number; 0 for a new session."""
    iss: str = ISSUER


def sign_ticket(ticket: Ticket, key: Ed25519PrivateKey) -> str:
    """The ticket as it travels."""
    # Every admission signs one. PyJWT takes twice as long around the signature as the signature.
    signed = _HEADER + b"." + _base64url(msgspec.json.encode(ticket))
    return (signed + b"." + _base64url(key.sign(signed))).decode("ascii")


def verify_ticket(
    token: str, key: Ed25519PublicKey, *, node: str, boot: str, now_s: float
) -> Ticket:
    """What a token permits on this node.

    Args:
        token: as the caller showed it.
        key: the centre's.
        node: this node.
        boot: this start of it.
        now_s: seconds since 1970.

    Raises:
        TicketRefused: forged, not a ticket, for another node or boot, expired or not yet valid.
    """
    ticket = _ticket(_claims(token, key))
    if ticket.node != node:
        raise _refused(f"the ticket is for {ticket.node}", "node", ticket.node)
    if ticket.boot != boot:
        raise _refused("the node was started again since", "boot", ticket.boot)
    if now_s > ticket.exp + LEEWAY_S:
        raise _refused("the ticket has expired", "exp", ticket.exp)
    if now_s < ticket.iat - LEEWAY_S:
        raise _refused("the ticket is from the future", "iat", ticket.iat)
    return ticket


def _base64url(data: bytes) -> bytes:
    """As RFC 7515 has it: without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


_HEADER = _base64url(b'{"alg":"EdDSA","typ":"JWT"}')


def _claims(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "iss"]}
    try:
        return jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            options=options,  # type: ignore[arg-type]  # times are judged on a clock handed in
        )
    except jwt.PyJWTError as error:
        raise _refused("not a ticket of this control plane", "ticket", None) from error


def _ticket(claims: dict[str, Any]) -> Ticket:
    try:
        return msgspec.convert(claims, Ticket)
    except msgspec.ValidationError as error:
        raise _refused(f"not a ticket: {error}", "ticket", None) from error


def _refused(message: str, field: str, value: object) -> TicketRefused:
    return TicketRefused(
        message, field=field, value=value, remedy="ask the control plane for a new ticket"
    )
