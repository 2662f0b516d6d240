"""Whether a session may go on elsewhere, for whoever shows its recovery token (pure).

A stranger learns nothing: an unknown session, another tenant's and a token that is not the latest
are refused alike, in the same time. Who has the token is told what is wrong.
"""

import hashlib
import hmac

from control_plane.orders import Order
from control_plane.sessions.row import Row
from heliovox.protocol.control import ResumeRequest, SessionRequest
from shared.errors import InvalidMessage, ResumeRefused

MOST_WITHOUT = 16
LONGEST_TOKEN = 256
_NOBODYS = "0" * 64


def check_token(row: Row | None, tenant: str, asked: ResumeRequest, now_ms: int) -> Row:
    """The session that goes on.

    Args:
        row: what is known under its name.
        tenant: whose key it is asked with.
        asked: as it came.
        now_ms: since 1970.

    Raises:
        InvalidMessage: more nodes to leave out than anybody tries.
        ResumeRefused: forged, used, foreign; or too late, or the session is over.
    """
    if len(asked.without) > MOST_WITHOUT:
        raise InvalidMessage(
            "too many nodes to leave out", field="without", value=len(asked.without),
            remedy=f"name the latest {MOST_WITHOUT}",
        )  # fmt: skip
    shown = hashlib.sha256(asked.token[:LONGEST_TOKEN].encode()).hexdigest()
    known = row.recovery_sha256 if row is not None else ""
    good = hmac.compare_digest(shown, known if len(known) == len(_NOBODYS) else _NOBODYS)
    if row is None or not good or not hmac.compare_digest(row.tenant.encode(), tenant.encode()):
        raise ResumeRefused(
            "this token does not open this session", field="token",
            remedy="show the latest token that the session gave, with the key that it was opened "
            "with; else open a new session",
        )  # fmt: skip
    if row.state == "ended" or not row.open:
        raise ResumeRefused(
            f"the session is over: {row.reason}", field="token", remedy="open a new session"
        )
    if row.waits and now_ms > row.good_until_ms:
        raise ResumeRefused(
            f"the token was good for {row.recovery_s:g} s after the connection was lost",
            field="token", remedy="open a new session",
        )  # fmt: skip
    return row


def as_opened(row: Row, request: SessionRequest) -> SessionRequest:
    """The request, under the session's own policy and model where it names none."""
    return SessionRequest(
        kind=request.kind,
        language=request.language,
        model=request.model or row.model,
        policy=request.policy or row.policy,
        place=request.place,
        country=request.country,
        address=request.address,
        data=request.data,
    )


def check_request(row: Row, order: Order) -> None:
    """Raises ResumeRefused where it is not what the session was opened with."""
    for field, asked, opened in (
        ("kind", order.kind, row.kind),
        ("language", order.language, row.language),
        ("model", order.model, row.model),
        ("policy", order.policy.name, row.policy),
        ("data", order.facts.data, row.data),
    ):
        if asked != opened:
            raise ResumeRefused(
                f"the session was opened with {field} {opened}", field=f"request.{field}",
                value=asked, remedy="ask as the session was opened",
            )  # fmt: skip
