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


async def open_socket(
    url: str,
    key: str | None,
    *,
    tls: ssl.SSLContext | None,
    proxy: str | Literal[True] | None,
    limits: Limits,
) -> ClientConnection:
    """A connection on which nothing was said yet.

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
            additional_headers={"Authorization": f"Bearer {key}"} if key else None,
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


def refusal(url: str, status: int, body: bytes) -> ClientError:
    """The error in an HTTP answer other than 101."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _bare_refusal(url, status)
    return Refused.of(
        Error(
            problem.code,
            problem.detail or problem.title,
            problem.field,
            problem.value,
            problem.remedy,
            problem.retryable or status == 503,
        )
    )


def _bare_refusal(url: str, status: int) -> ClientError:
    if status in {401, 403}:
        return Refused.of(Error("unauthorised", f"HTTP {status}", remedy="check the key"))
    return CannotConnect(url, f"HTTP {status} where a WebSocket was asked for")
