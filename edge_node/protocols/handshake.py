"""Whether a request may become a WebSocket, decided from its path and headers alone (pure)."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_node.protocols.peer import Shown
from heliovox.protocol.messages import (
    KEY_SUBPROTOCOL_PREFIX,
    SUBPROTOCOL,
    TICKET_SUBPROTOCOL_PREFIX,
)
from shared.errors import InvalidMessage, NotFound, VoiceError

STREAM_PATH = "/v1/stream"

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, as they came."""


KnowsKey = Callable[[str], bool]
"""Whether a key is a caller's; takes the same time for any wrong one."""
Doubt = Callable[[Shown], VoiceError | None]
"""Why what a caller shows is not good, if it is not."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request becomes a WebSocket."""

    nonce: str
    """The value of Sec-WebSocket-Key: 16 bytes in base64."""
    subprotocol: str | None
    shown: Shown
    """The ticket or key that came along; if none did, `start` must carry one."""


def decide(path: str, headers: Headers, doubt: Doubt) -> Accepted | VoiceError:
    """Accepts the upgrade, or says why not.

    Args:
        path: of the request, without its query.
        headers: of the request.
        doubt: asked about a ticket or key.
    """
    if path != STREAM_PATH:
        return NotFound(
            "no WebSocket here", field="path", value=path, remedy=f"connect to {STREAM_PATH}"
        )
    nonce = _header(headers, b"sec-websocket-key")
    if (wrong := _not_a_websocket(headers, nonce)) is not None:
        return wrong
    subprotocols = _tokens(headers, b"sec-websocket-protocol")
    if (unknown := _unknown_version(subprotocols)) is not None:
        return unknown
    shown = offered(headers, subprotocols)
    if not shown.nothing and (wrong := doubt(shown)) is not None:
        return wrong
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in subprotocols else None
    return Accepted(nonce, subprotocol, shown)


def offered(headers: Headers, subprotocols: Sequence[str] = ()) -> Shown:
    """The caller's ticket and key from `Authorization`, completed from subprotocols."""
    scheme, _, credentials = _header(headers, b"authorization").partition(" ")
    named = {"bearer": "key", "ticket": "ticket"}.get(scheme.lower())
    shown = Shown() if named is None else Shown(**{named: credentials.strip()})
    return shown.completed(
        key=_behind(KEY_SUBPROTOCOL_PREFIX, subprotocols),
        ticket=_behind(TICKET_SUBPROTOCOL_PREFIX, subprotocols),
    )


def _behind(prefix: str, subprotocols: Sequence[str]) -> str | None:
    return next((one[len(prefix) :] for one in subprotocols if one.startswith(prefix)), None)


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
    secrets = (KEY_SUBPROTOCOL_PREFIX, TICKET_SUBPROTOCOL_PREFIX)
    versions = [offer for offer in offered if not offer.startswith(secrets)]
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
