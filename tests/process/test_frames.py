"""Frames that no WebSocket library sends."""

import json

import pytest

from tests.support.raw import RawCaller, frame, upgrade_request
from tests.support.running_node import RunningNode
from tests.support.talk import start

pytestmark = pytest.mark.process

NODE = {"connections": {"goodbye_s": 0.5}}  # these callers answer no close
TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A


def broken(node: RunningNode, *wire: bytes) -> tuple[list[str], int]:
    """The types or codes said, and the close code, after `start` and these bytes."""
    with RawCaller(node.port, upgrade_request(node.key)) as caller:
        assert caller.status() == 101
        caller.send(TEXT, start().encode())
        assert json.loads(caller.frame()[1])["type"] == "started"
        caller.socket.sendall(b"".join(wire))
        frames, code = caller.frames_to_close()
        said = [json.loads(payload) for opcode, payload in frames if opcode == 1]
        assert caller.ended()
        return [each.get("code", each["type"]) for each in said], code


@pytest.mark.parametrize(
    "wire",
    [
        frame(BINARY, b"ab", masked=False),
        frame(0x83, b"ab"),  # an opcode that is reserved
        frame(0x8B, b"ab"),
        frame(0x80, b"ab"),  # continues nothing
        frame(0x09, b"ab"),  # a ping in fragments
        frame(PING, bytes(126)),
        frame(0xC2, b"ab"),  # compressed, though nobody agreed to that
        frame(0xA2, b"ab"),
        frame(0x02, b"ab") + frame(TEXT, b"{}"),  # a message inside a message
        frame(CLOSE, b"\x03"),  # half a code
        frame(CLOSE, b"\x03\xed"),  # 1005, which may not be sent
        b"\x82\xff" + b"\xff" * 8 + bytes(4),  # longer than there are numbers
        b"\x82\xfe\x00\x05" + bytes(9),  # a length not in its shortest form
    ],
)
def test_a_broken_frame(node: RunningNode, wire: bytes) -> None:
    assert broken(node, wire) == (["broken_frame"], 1002)


def test_a_reason_that_is_not_utf8(node: RunningNode) -> None:
    assert broken(node, frame(CLOSE, b"\x03\xe8\xff"))[1] in {1002, 1007}


def test_text_that_is_not_utf8(node: RunningNode) -> None:
    assert broken(node, frame(TEXT, b'{"type":"\xff"}')) == (["invalid_message"], 1007)


def test_the_error_arrives_though_the_caller_goes_on_sending(node: RunningNode) -> None:
    """A reset would overtake it."""
    flood = frame(BINARY, bytes(10_000_000))
    assert broken(node, flood) == (["too_big"], 1009)


@pytest.mark.parametrize(
    ("sent", "answered"), [(b"\x03\xe8bye", 1000), (b"\x11\x5c", 4444), (b"", 1000)]
)
def test_a_close_is_answered(node: RunningNode, sent: bytes, answered: int) -> None:
    assert broken(node, frame(CLOSE, sent)) == ([], answered)


def test_a_ping_is_answered(node: RunningNode) -> None:
    with RawCaller(node.port, upgrade_request(node.key)) as caller:
        assert caller.status() == 101
        caller.send(PING, b"are you there")
        assert caller.frame() == (0xA, b"are you there")


def test_control_frames_between_fragments(node: RunningNode) -> None:
    with RawCaller(node.port, upgrade_request(node.key)) as caller:
        assert caller.status() == 101
        message = start().encode()
        caller.send(0x01, message[:5])
        caller.send(PING, b"")
        caller.send(0x80, message[5:])
        assert caller.frame()[0] == 0xA
        assert json.loads(caller.frame()[1])["type"] == "started"


def test_a_frame_that_comes_byte_by_byte(node: RunningNode) -> None:
    with RawCaller(node.port, upgrade_request(node.key)) as caller:
        assert caller.status() == 101
        for byte in frame(TEXT, start().encode()):
            caller.socket.sendall(bytes([byte]))
        assert json.loads(caller.frame()[1])["type"] == "started"
