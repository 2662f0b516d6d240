"""Asks a control plane over HTTP: the standard library in a thread, bounded in size and time."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    HTTPSConnection,
)
from typing import IO, Any, Literal
from urllib.error import HTTPError
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
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


class _Line:
    """The connection of one request, for whoever has to cut it."""

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None

    def http(self, host: str, **options: Any) -> HTTPConnection:
        """Makes it, as urllib asks for it."""
        self._connection = HTTPConnection(host, **options)
        return self._connection

    def https(self, host: str, **options: Any) -> HTTPSConnection:
        """Likewise."""
        self._connection = connection = HTTPSConnection(host, **options)
        return connection

    def cut(self) -> None:
        """Wakes the thread that waits for an answer nobody wants any more."""
        with suppress(OSError, AttributeError):  # not connected yet, or not any more
            self._connection.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


class _OverHttp(HTTPHandler):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(self._line.http, req)


class _OverHttps(HTTPSHandler):
    def __init__(self, line: _Line, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self._line, self._tls = line, tls

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(self._line.https, req, context=self._tls)


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
        self._tls, self._proxy = tls, proxy

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        *,
        limit_s: float,
        prefer: str | None = None,
    ) -> Answer:
        """One request and its answer. Whoever is cancelled meanwhile cuts the connection.

        Args:
            method: GET, ...
            url: where.
            body: JSON.
            limit_s: for the whole answer.
            prefer: RFC 7240.

        Raises:
            CannotConnect: nobody answers, or it is not HTTP.
            TimedOut: no whole answer within `limit_s`.
        """
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if prefer is not None:
            headers["Prefer"] = prefer
        request = Request(url, data=body, headers=headers, method=method)  # noqa: S310 checked
        line = _Line()
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.to_thread(self._ask, request, line, limit_s)
        except TimeoutError as error:
            raise TimedOut(f"an answer from {url}", limit_s) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                raise TimedOut(f"an answer from {url}", limit_s) from error
            raise CannotConnect(url, str(reason) or type(reason).__name__) from error
        finally:
            line.cut()

    def _ask(self, request: Request, line: _Line, limit_s: float) -> Answer:
        """Blocks, for about twice `limit_s` at most: the thread never outlives that."""
        over = _deadline(limit_s)
        handlers = [
            _StayHere(),
            _OverHttp(line),
            _OverHttps(line, self._tls),
            *_proxies(self._proxy),
        ]
        try:
            with build_opener(*handlers).open(request, timeout=limit_s) as answer:
                return Answer(answer.status, _read(answer, over))
        except HTTPError as refused:
            with refused:
                return Answer(refused.code, _read(refused, over))


def _proxies(proxy: str | Literal[True] | None) -> list[ProxyHandler]:
    if proxy is True:
        return []  # urllib's own reads the environment
    return [ProxyHandler({"http": proxy, "https": proxy} if proxy else {})]


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
