from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.protocols.handshake import STREAM_PATH, Accepted, Headers, decide, offered
from edge_node.protocols.peer import Shown
from shared.errors import InvalidMessage, NotFound, Unauthorised, VoiceError

KEY, TICKET = Shown("good"), Shown(ticket="good")
WRONG = Unauthorised("unknown key", field="key")
NONCE = b64encode(bytes(16))
WEBSOCKET = [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", NONCE)]


def ask(*headers: tuple[bytes, bytes], path: str = STREAM_PATH) -> Accepted | VoiceError:
    return decide(path, [*WEBSOCKET, *headers], doubt)


def doubt(shown: Shown) -> VoiceError | None:
    return None if "good" in (shown.key, shown.ticket) else WRONG


def protocols(names: str) -> tuple[bytes, bytes]:
    return b"sec-websocket-protocol", names.encode()


def bearer(key: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {key}".encode()


@pytest.mark.parametrize(
    ("headers", "subprotocol", "shown"),
    [
        ([], None, Shown()),
        ([bearer("good")], None, KEY),
        ([(b"authorization", b"bearer   good ")], None, KEY),
        ([protocols("heliovox.v1")], "heliovox.v1", Shown()),
        ([protocols("heliovox.v9, heliovox.v1")], "heliovox.v1", Shown()),
        ([protocols("heliovox.v1, heliovox.key.good")], "heliovox.v1", KEY),
        ([protocols("heliovox.key.good")], None, KEY),
        ([protocols("heliovox.v1"), protocols("heliovox.key.good")], "heliovox.v1", KEY),
        ([bearer("good"), protocols("heliovox.key.bad,heliovox.v1")], "heliovox.v1", KEY),
        ([(b"authorization", b"Ticket good")], None, TICKET),
        ([protocols("heliovox.v1, heliovox.ticket.good")], "heliovox.v1", TICKET),
        ([protocols("heliovox.key.k, heliovox.ticket.good")], None, Shown("k", "good")),
        ([bearer("k"), protocols("heliovox.ticket.good")], None, Shown("k", "good")),
    ],
)
def test_accepted(
    headers: list[tuple[bytes, bytes]], subprotocol: str | None, shown: Shown
) -> None:
    assert ask(*headers) == Accepted(NONCE.decode(), subprotocol, shown)


@pytest.mark.parametrize(
    ("headers", "path", "error", "field"),
    [
        ([], "/v1/streams", NotFound, "path"),
        ([], "/", NotFound, "path"),
        ([bearer("bad")], STREAM_PATH, Unauthorised, "key"),
        ([bearer("")], STREAM_PATH, Unauthorised, "key"),
        ([protocols("heliovox.key.bad")], STREAM_PATH, Unauthorised, "key"),
        ([protocols("heliovox.ticket.bad")], STREAM_PATH, Unauthorised, "key"),
        ([protocols("heliovox.v2")], STREAM_PATH, InvalidMessage, "Sec-WebSocket-Protocol"),
        ([protocols("chat"), bearer("bad")], STREAM_PATH, InvalidMessage, "Sec-WebSocket-Protocol"),
    ],
)
def test_refused(
    headers: list[tuple[bytes, bytes]], path: str, error: type[VoiceError], field: str
) -> None:
    refused = ask(*headers, path=path)
    assert isinstance(refused, error)
    assert refused.field == field


def test_a_refusal_does_not_repeat_the_key() -> None:
    refused = ask(bearer("hvk_secret"))
    assert isinstance(refused, VoiceError)
    assert "secret" not in repr(vars(refused)) + str(refused)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"sec-websocket-version", b"8"), (b"sec-websocket-key", NONCE)],
        [(b"sec-websocket-version", b"13")],
        [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"AAAA")],
        [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"\xff" * 24)],
    ],
)
def test_what_is_no_websocket_is_refused(headers: Headers) -> None:
    assert isinstance(decide(STREAM_PATH, headers, lambda _: None), InvalidMessage)


NAMES = st.sampled_from(
    [b"authorization", b"sec-websocket-protocol", b"sec-websocket-key", b"sec-websocket-version"]
)


@given(
    path=st.text(max_size=20),
    headers=st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=6),
)
def test_any_request_is_accepted_or_refused(path: str, headers: list[tuple[bytes, bytes]]) -> None:
    for at in (path, STREAM_PATH):
        assert isinstance(decide(at, headers, lambda _: WRONG), Accepted | VoiceError)
        assert isinstance(
            decide(at, [*WEBSOCKET, *headers], lambda _: WRONG), Accepted | VoiceError
        )


def test_other_schemes_carry_no_key() -> None:
    assert offered([(b"authorization", b"Basic Z29vZA==")]).nothing
