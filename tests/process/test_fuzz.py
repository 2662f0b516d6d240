"""Whatever a caller says, he gets a documented error or a value, and the node goes on."""

import json
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliovox.protocol.closing import CloseCode
from heliovox.protocol.codec import decode_server
from tests.support.raw import RawCaller, frame, upgrade_request
from tests.support.running_node import RunningNode
from tests.support.talk import start

pytestmark = pytest.mark.process

NODE = {"connections": {"goodbye_s": 0.5}, "batch": {"max_wait_ms": 0}}
LIMIT_S = 10.0

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
TYPES = ["start", "flush", "marker", "ack", "speak", "cancel", "keepalive", "finish", "nothing"]
FIELDS = [
    "id",
    "text",
    "seq",
    "speed",
    "voice",
    "kind",
    "language",
    "audio",
    "output",
    "key",
    "model",
]
LIKELY = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={
        "id": st.text(max_size=4),
        "text": st.text(max_size=20),
        "seq": st.integers(-2, 5),
        "speed": st.floats(0.4, 2.2),
    },
)
ODD = st.dictionaries(st.sampled_from(["type", *FIELDS]), JSON, max_size=4)
TEXTS = (LIKELY | ODD | JSON).map(lambda value: json.dumps(value).encode())
MESSAGES = (
    st.tuples(st.just(0x81), TEXTS | st.binary(max_size=30))
    | st.tuples(st.just(0x82), st.binary(max_size=3000))
    | st.tuples(st.sampled_from([0x01, 0x02, 0x80, 0x00, 0x89, 0x8A]), st.binary(max_size=100))
)
KIND = st.sampled_from([None, "recognition", "synthesis", "conversation"])


def said_until_the_end(caller: RawCaller) -> int | None:
    """The node's close code; every text message on the way is one of the protocol."""
    while True:
        try:
            opcode, payload = caller.frame()
        except EOFError:
            return None
        if opcode == 8:
            return int.from_bytes(payload[:2], "big")
        if opcode == 1:
            decode_server(payload)


@settings(max_examples=150)
@given(kind=KIND, messages=st.lists(MESSAGES, max_size=8))
def test_any_messages(
    node: RunningNode, kind: str | None, messages: list[tuple[int, bytes]]
) -> None:
    opening = [] if kind is None else [(0x81, start(kind=kind).encode())]
    goodbye = (0x88, b"\x03\xe8")
    with RawCaller(node.port, upgrade_request(node.key), [*opening, *messages, goodbye]) as caller:
        caller.socket.settimeout(LIMIT_S)
        assert caller.status() == 101
        assert said_until_the_end(caller) in {int(code) for code in CloseCode}


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes_for_frames(node: RunningNode, wire: bytes) -> None:
    with RawCaller(node.port, upgrade_request(node.key)) as caller:
        caller.socket.settimeout(LIMIT_S)
        assert caller.status() == 101
        caller.socket.sendall(frame(0x81, start().encode()) + wire)
        caller.socket.shutdown(socket.SHUT_WR)
        assert said_until_the_end(caller) in {None, *(int(code) for code in CloseCode)}


@settings(max_examples=150)
@given(
    head=st.sampled_from([b"", b"GET ", b"GET /v1/stream HTTP/1.1\r\nUpgrade: websocket\r\n"]),
    rest=st.binary(max_size=200),
)
def test_any_bytes_for_a_request(node: RunningNode, head: bytes, rest: bytes) -> None:
    with RawCaller(node.port, head + rest) as caller:
        caller.socket.settimeout(LIMIT_S)
        caller.socket.shutdown(socket.SHUT_WR)
        assert caller.ended()


@settings(max_examples=60)
@given(ODD | JSON)
def test_any_body_for_speech(node: RunningNode, body: Any) -> None:
    status, answer = node.post("/v1/speech", json.dumps(body).encode())
    assert status in {200, 400, 413, 422}
    if status != 200:
        assert json.loads(answer)["status"] == status


def test_the_node_is_still_well(node: RunningNode) -> None:
    with node.call() as caller:
        caller.send(start())
        assert json.loads(caller.recv(timeout=LIMIT_S))["type"] == "started"
    assert node.get("/readyz")[0] == 200
    assert node.metric("speeches") == 0
