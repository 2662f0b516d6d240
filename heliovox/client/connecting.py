"""Opens the WebSocket, and says why where it does not open."""

import logging
import ssl
from typing import Literal

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from heliovox.client.errors import CannotConnect, ClientError, Refused, TimedOut
from heliovox.client.limits import Limits
from heliovox.protocol.messages import SUBPROTOCOL, Error

MAX_MESSAGE_BYTES = 1 << 20
_PING_S = 20
_log = logging.getLogger("heliovox.client.connection")
_log.setLevel(logging.INFO)  # at DEBUG the library writes headers and messages: keys and speech


class _Problem(msgspec.Struct):
    """RFC 9457, with the fields of the wire's error."""

    code: str
    status: int = 0
    title: str = ""
    detail: str = ""
    field: str | None = None
    value: str | None = None
    remedy: str | None = None
    retryable: bool = False
    decision: str | None = None


async def open_socket(
    url: str,
    authorization: str | None,
    *,
    tls: ssl.SSLContext | None,
    proxy: str | Literal[True] | None,
    limits: Limits,
) -> ClientConnection:
    """A connection on which nothing was said yet.

    Args:
        url: of the node's stream.
        authorization: `Bearer KEY` or `Ticket TICKET`.
        tls: for private certificates.
        proxy: True obeys the environment, None connects directly.
        limits: for how long.

    Raises:
        CannotConnect: nobody answers, or it is no node.
        Refused: the node's answer to the handshake.
        TimedOut: neither within `limits.open_s`.
    """
    try:
        return await connect(
            url,
            ssl=tls,
            proxy=proxy,
            compression=None,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers={"Authorization": authorization} if authorization else None,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=limits.open_s,
            close_timeout=limits.close_s,
            ping_interval=_PING_S,
            ping_timeout=limits.dead_s,
            logger=_log,
        )
    except InvalidStatus as error:
        raise refusal(url, error.response.status_code, bytes(error.response.body or b"")) from error
    except TimeoutError as error:
        raise TimedOut(f"opening {url}", limits.open_s) from error
    except (OSError, InvalidHandshake, InvalidURI) as error:
        raise CannotConnect(url, str(error) or type(error).__name__) from error


def refusal(
    url: str, status: int, body: bytes, wanted: str = "a WebSocket was asked for"
) -> ClientError:
    """The error in an HTTP answer other than the one that was hoped for."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _bare_refusal(url, status, wanted)
    return Refused.of(
        Error(
            problem.code,
            problem.detail or problem.title,
            problem.field,
            problem.value,
            problem.remedy,
            problem.retryable or status == 503,
            problem.decision,
        )
    )


def _bare_refusal(url: str, status: int, wanted: str) -> ClientError:
    if status in {401, 403}:
        return Refused.of(Error("unauthorised", f"HTTP {status}", remedy="check the key"))
    return CannotConnect(url, f"HTTP {status} where {wanted}")
