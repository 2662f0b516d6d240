"""The short way of POST /v1/sessions, past the framework: it is asked more than all others.

Everything else goes on to the application, which has this route too: for /schema, and for whoever
calls the application by itself. Both ways answer alike, and a test holds them to it.
"""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from http import HTTPStatus
from typing import Any, cast

import msgspec

from control_plane.api import answers
from control_plane.api.admitting import (
    Asked,
    admit,
    encoded,
    prefers_line,
    status_and_headers,
)
from control_plane.api.callers import key_of
from control_plane.api.centre import Centre
from control_plane.waiting.hall import CallerGone
from heliovox.protocol.control import SessionRequest
from shared.errors import InvalidMessage, TooBig, VoiceError
from shared.problem import Problem, plain_problem, problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/v1/sessions"
JSON = b"application/json"
_DECODER = msgspec.json.Decoder(SessionRequest)


class Front:
    """An ASGI application in front of another.

    Args:
        behind: takes all other requests.
        most_bytes: of a body.
    """

    def __init__(self, behind: AsgiApp, centre: Centre, most_bytes: int) -> None:
        self._behind, self._centre, self._most_bytes = behind, centre, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != PATH:
            await self._behind(scope, receive, send)
            return
        try:
            status, headers, body = await self._placed(scope, receive)
        except CallerGone:
            return
        except VoiceError as error:
            status, headers, body = _said(problem(error))
        except Exception as error:  # noqa: BLE001 said to the log and to the caller
            answers.log_broken(error)
            status, headers, body = _said(
                plain_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")
            )
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _placed(
        self, scope: Scope, receive: Receive
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        authorization = key = prefer = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"idempotency-key":
                key = value.decode("latin-1")
            elif name == b"prefer":
                prefer = value.decode("latin-1")
        who = self._centre.keyring().who(key_of(authorization or ""))
        client = scope.get("client")
        asked = Asked(
            what=_decoded(await self._body(receive)),
            own_address=client[0] if client else None,
            key=key,
            comes_back=prefer is not None and prefers_line(prefer),
            gone=gone_of(receive),
        )
        answer = await admit(self._centre, who, asked)
        status, headers = status_and_headers(answer)
        lines = [(b"content-type", JSON)]
        lines += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return status, lines, encoded(answer)

    async def _body(self, receive: Receive) -> bytes:
        """All of it. Raises TooBig, CallerGone."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise CallerGone("the request was never whole")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._most_bytes:
                raise TooBig(f"a body of more than {self._most_bytes} bytes", remedy="send less")
        return body


def gone_of(receive: Receive) -> Callable[[], bool]:
    """Whether the connection is gone, asked without waiting for it.

    The server's `receive` returns at once where it is, and would wait where it is not.
    """

    def gone() -> bool:
        step = cast("Coroutine[Any, Any, Message]", receive())
        try:
            step.send(None)
        except StopIteration as said:
            return bool(said.value["type"] == "http.disconnect")
        step.close()
        return False

    return gone


def _decoded(body: bytes) -> SessionRequest:
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidMessage(str(error), field=_field(str(error))) from None


def _field(said: str) -> str | None:
    """As msgspec names it: `... - at `$.place.lat``, or `... unknown field `x``."""
    for before in (" - at `$.", "field `"):
        if before in said:
            return said.rpartition(before)[2].rstrip("`")
    return None


def _said(document: Problem) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    status, headers, body = answers.said(document)
    return status, [(k.lower().encode(), v.encode()) for k, v in headers.items()], body
