"""Asks a control plane over HTTP: the standard library in a thread, bounded in size and time."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Literal
from urllib.error import HTTPError
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from heliovox.client.errors import CannotConnect, TimedOut

MAX_ANSWER_BYTES = 16 << 20
"""A thousand nodes, or a decision among them, take about 1 MiB."""
_PIECE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    body: bytes


class _StayHere(HTTPRedirectHandler):
    """A key goes to the address that it was given for, and to no other."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """The redirect itself is the answer."""
        _ = req, fp, code, msg, headers, newurl


class Http:
    """One request at a time and connection.

    Args:
        key: travels in the Authorization header.
        tls: for private certificates; None takes the system's.
        proxy: True obeys the usual environment variables, a string is the proxy, None is none.
    """

    def __init__(
        self, key: str | None, tls: ssl.SSLContext | None, proxy: str | Literal[True] | None
    ) -> None:
        self._headers = {"Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._opener = _opener(tls, proxy)

    async def ask(
        self, method: str, url: str, body: bytes | None = None, *, limit_s: float
    ) -> Answer:
        """One request and its answer.

        Raises:
            CannotConnect: nobody answers, or it is not HTTP.
            TimedOut: no whole answer within `limit_s`.
        """
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(url, data=body, headers=headers, method=method)  # noqa: S310 checked
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.to_thread(self._ask, request, limit_s)
        except TimeoutError as error:
            raise TimedOut(f"an answer from {url}", limit_s) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                raise TimedOut(f"an answer from {url}", limit_s) from error
            raise CannotConnect(url, str(reason) or type(reason).__name__) from error

    def _ask(self, request: Request, limit_s: float) -> Answer:
        """Blocks, for about twice `limit_s` at most: the thread never outlives that."""
        over = _deadline(limit_s)
        try:
            with self._opener.open(request, timeout=limit_s) as answer:
                return Answer(answer.status, _read(answer, over))
        except HTTPError as refused:
            with refused:
                return Answer(refused.code, _read(refused, over))


def _opener(tls: ssl.SSLContext | None, proxy: str | Literal[True] | None) -> OpenerDirector:
    handlers: list[BaseHandler] = [_StayHere(), HTTPSHandler(context=tls)]
    if proxy is None:
        handlers.append(ProxyHandler({}))
    elif isinstance(proxy, str):
        handlers.append(ProxyHandler({"http": proxy, "https": proxy}))
    return build_opener(*handlers)


def _deadline(limit_s: float) -> Callable[[], bool]:
    ends_s = time.monotonic() + limit_s  # noqa: TID251 a thread's own limit; nothing decides by it
    return lambda: time.monotonic() > ends_s  # noqa: TID251


def _read(answer: Any, over: Callable[[], bool]) -> bytes:
    body = b""
    while piece := answer.read1(_PIECE_BYTES):
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise OSError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        if over():
            raise TimeoutError
    return body
