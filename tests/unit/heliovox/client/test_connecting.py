import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from heliovox.client import (
    CannotConnect,
    Client,
    ClientError,
    Limits,
    Refused,
    TimedOut,
    Unauthorised,
)
from heliovox.client.connecting import refusal
from heliovox.protocol.messages import Error

pytestmark = pytest.mark.anyio
PROBLEM = {"type": "about:blank", "title": "Full", "status": 503, "detail": "no seat",
           "code": "node_full", "field": "node", "value": "n-1", "remedy": "later"}  # fmt: skip


def as_json(value: object) -> bytes:
    return json.dumps({"code": "c", **value} if isinstance(value, dict) else value).encode()


async def enter(client: Client) -> None:
    async with client.session():
        raise AssertionError("the session must not open")


async def test_the_handshakes_refusal_keeps_every_field() -> None:
    def refuse(_connection: ServerConnection, _request: Request) -> Response:
        body = json.dumps(PROBLEM).encode()
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
        return Response(503, "Service Unavailable", headers, body)

    async with serve(lambda _: None, "127.0.0.1", 0, process_request=refuse) as server:  # type: ignore[arg-type,return-value]
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Refused) as caught:
            await enter(Client(f"127.0.0.1:{port}", proxy=None))
    error = caught.value
    assert (error.code, error.message, error.field) == ("node_full", "no seat", "node")
    assert (error.value, error.remedy, error.retryable) == ("n-1", "later", True)


async def test_nobody_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, never listening
        with pytest.raises(CannotConnect):
            await enter(Client(f"127.0.0.1:{closed.getsockname()[1]}", proxy=None))


async def test_somebody_there_who_never_answers() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = Client(
            f"127.0.0.1:{silent.getsockname()[1]}", proxy=None, limits=Limits(open_s=0.05)
        )
        with pytest.raises(TimedOut):
            await enter(client)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 500, 502, 503])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[1]", b'{"code": 3}', b"\xff"])
def test_any_other_answer_is_named(status: int, body: bytes) -> None:
    error = refusal("ws://there", status, body)
    assert isinstance(error, Unauthorised if status in {401, 403} else CannotConnect)
    assert str(status) in str(error)


@given(st.integers(100, 599), st.binary() | st.dictionaries(st.text(), st.text()).map(as_json))
def test_any_answer_is_a_named_error(status: int, body: bytes) -> None:
    assert isinstance(refusal("ws://there", status, body), ClientError)


def test_the_key_never_shows() -> None:
    client = Client("127.0.0.1:9", "very-secret")
    assert "very-secret" not in repr(client) + client.url


def test_an_errors_sentence_holds_what_is_known_and_no_more() -> None:
    known = Error("unsupported", "unknown voice", "voice", "hal", "use eve")
    assert str(Refused(known)) == "unsupported: unknown voice (voice='hal'); use eve"
    assert str(Refused(Error("unauthorised", "unknown key", "key"))) == "unauthorised: unknown key"
