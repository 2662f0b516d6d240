"""Whether a request may become a WebSocket, decided from its path and headers alone (pure)."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heliovox.protocol.messages import KEY_SUBPROTOCOL_PREFIX, SUBPROTOCOL
from shared.errors import InvalidMessage, NotFound, Unauthorised, VoiceError

STREAM_PATH = "/v1/stream"

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, as they came."""


KnowsKey = Callable[[str], bool]
"""Whether a key is a caller's; takes the same time for any wrong one."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request becomes a WebSocket."""

    nonce: str
    """The value of Sec-WebSocket-Key: 16 bytes in base64."""
    subprotocol: str | None
    authenticated: bool
    """Whether a key came along; if not, `start` must carry one."""


def decide(path: str, headers: Headers, knows: KnowsKey) -> Accepted | VoiceError:
    """Accepts the upgrade, or says why not.

    Args:
        path: of the request, without its query.
        headers: of the request.
        knows: the node's keys.
    """
    if path != STREAM_PATH:
        return NotFound(
            "no WebSocket here", field="path", value=path, remedy=f"connect to {STREAM_PATH}"
        )
    nonce = _header(headers, b"sec-websocket-key")
    if (wrong := _not_a_websocket(headers, nonce)) is not None:
        return wrong
    offered = _tokens(headers, b"sec-websocket-protocol")
    if (unknown := _unknown_version(offered)) is not None:
        return unknown
    key = offered_key(headers, offered)
    if key is not None and not knows(key):
        return Unauthorised("unknown key", field="key", remedy="use a key this node has given out")
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
    return Accepted(nonce, subprotocol, authenticated=key is not None)


def offered_key(headers: Headers, subprotocols: Sequence[str] = ()) -> str | None:
    """The caller's key from `Authorization: Bearer`, or from a subprotocol; None if absent."""
    scheme, _, credentials = _header(headers, b"authorization").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    for offer in subprotocols:
        if offer.startswith(KEY_SUBPROTOCOL_PREFIX):
            return offer[len(KEY_SUBPROTOCOL_PREFIX) :]
    return None


def _not_a_websocket(headers: Headers, nonce: str) -> VoiceError | None:
    version = _header(headers, b"sec-websocket-version")
    if version != "13":
        return InvalidMessage(
            "unknown WebSocket version",
            field="Sec-WebSocket-Version",
            value=version,
            remedy="use version 13",
        )
    try:
        whole = len(b64decode(nonce, validate=True)) == 16
    except (binascii.Error, ValueError):
        whole = False
    if whole:
        return None
    return InvalidMessage(
        "not a WebSocket key",
        field="Sec-WebSocket-Key",
        value=nonce,
        remedy="send 16 random bytes in base64",
    )


def _unknown_version(offered: Sequence[str]) -> VoiceError | None:
    versions = [offer for offer in offered if not offer.startswith(KEY_SUBPROTOCOL_PREFIX)]
    if not versions or SUBPROTOCOL in versions:
        return None
    return InvalidMessage(
        "no version of the protocol that this node speaks",
        field="Sec-WebSocket-Protocol",
        value=", ".join(versions),
        remedy=f"offer one of: {SUBPROTOCOL}",
    )


def _header(headers: Headers, name: bytes) -> str:
    for key, value in headers:
        if key == name:
            return value.decode("latin-1").strip()
    return ""


def _tokens(headers: Headers, name: bytes) -> list[str]:
    """The members of a list header, which may be spread over several lines."""
    lines = (value.decode("latin-1") for key, value in headers if key == name)
    return [token for line in lines for part in line.split(",") if (token := part.strip())]
