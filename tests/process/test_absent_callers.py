"""Callers who stop reading, stop talking, or are gone."""

import json
import select
import socket
import struct

import pytest

from tests.support.raw import RawCaller, frame, upgrade_request
from tests.support.running_node import RunningNode
from tests.support.talk import FINISH, opened, refusal, rest, spoken, start, wait_for, words

pytestmark = pytest.mark.process

NODE = {
    "max_streams": 8,
    "connections": {"unread_s": 1.5, "ping_s": 1.5, "goodbye_s": 1, "request_s": 2},
    "sessions": {"start_s": 1.5, "silent_s": 6},
}
LIMIT_S = 20.0


def narrow(node: RunningNode) -> RawCaller:
    """A caller with little room for what he is sent."""
    caller = RawCaller(node.port, upgrade_request(node.key))
    assert caller.status() == 101
    caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return caller


def test_a_caller_who_stops_reading_speech(node: RunningNode) -> None:
    with narrow(node) as caller:
        caller.send(0x81, start(kind="synthesis").encode())
        for number in range(8):
            speak = {"type": "speak", "id": str(number), "text": "hello there " * 400}
            caller.send(0x81, json.dumps(speak).encode())
        wait_for(lambda: node.metric("streams") == 1)
        wait_for(lambda: node.metric("streams") == 0)
        wait_for(lambda: node.metric("sockets") == 0)
        assert node.metric("errors_total") >= 1


def test_a_caller_who_sends_but_does_not_read(node: RunningNode) -> None:
    """Finals pile up in front of him; the node stops listening, and then gives him up."""
    with narrow(node) as caller:
        caller.send(0x81, start(endpoint_silence_ms=200).encode())
        wait_for(lambda: node.metric("streams") == 1)
        packet = frame(0x82, spoken(("abcdefgh" + " " * 10) * 40))
        caller.socket.settimeout(0.2)
        sent = 0
        while node.metric("streams") == 1:
            try:
                sent += caller.socket.send(packet[sent % len(packet) :])
            except TimeoutError:
                continue
            except OSError:
                break
        wait_for(lambda: node.metric("sockets") == 0)
    assert node.get("/readyz")[0] == 200


def test_a_caller_who_vanishes(node: RunningNode) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(spoken("hello"))
        caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        caller.socket.shutdown(socket.SHUT_RDWR)
        caller.socket.close()
        wait_for(lambda: node.metric("streams") == 0)


def test_a_caller_who_hangs_up_without_a_word(node: RunningNode) -> None:
    with narrow(node) as caller:
        caller.send(0x81, start().encode())
        wait_for(lambda: node.metric("streams") == 1)
    wait_for(lambda: node.metric("streams") == 0)


def test_a_caller_who_answers_no_pings(node: RunningNode) -> None:
    cut = node.metric("connections_cut_total")
    with narrow(node) as caller:
        caller.send(0x81, start().encode())
        wait_for(lambda: node.metric("streams") == 1)
        assert caller.frame()[0] == 1
        assert caller.frame()[0] == 9
        assert caller.ended()
    assert node.metric("connections_cut_total") == cut + 1
    wait_for(lambda: node.metric("streams") == 0)


def test_a_caller_who_never_starts(node: RunningNode) -> None:
    with node.call() as caller:
        assert refusal(caller) == ("limit_passed", 1008)


def test_a_caller_who_falls_silent(node: RunningNode) -> None:
    """Pongs keep the connection, not the session."""
    with node.call() as caller:
        opened(caller)
        assert refusal(caller) == ("limit_passed", 1008)


def test_a_caller_who_does_not_answer_a_close(node: RunningNode) -> None:
    with narrow(node) as caller:
        caller.send(0x81, b"no message")
        frames, code = caller.frames_to_close()
        assert (len(frames), code) == (1, 1007)
        assert caller.ended()  # though we never answer


def test_a_request_that_does_not_end(node: RunningNode) -> None:
    with RawCaller(node.port, b"GET /healthz HTTP/1.1\r\nHost: no") as caller:
        assert caller.ended()


def test_a_body_that_does_not_come(node: RunningNode) -> None:
    request = (
        f"POST /v1/speech HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer {node.key}\r\n"
        "Content-Length: 100\r\n\r\n{"
    )
    with RawCaller(node.port, request.encode()) as caller:
        assert caller.ended()


def test_a_slow_caller_is_waited_for(node: RunningNode) -> None:
    """As long as he reads at all within the limit."""
    with node.call() as caller:
        opened(caller, kind="synthesis")
        caller.send(json.dumps({"type": "speak", "id": "a", "text": "ab " * 1500}))
        select.select([caller.socket], [], [], LIMIT_S)
        caller.send(FINISH)
        heard = rest(caller)
        assert sum(len(each) for each in heard if isinstance(each, bytes)) == 1500 * 3 * 640 * 2
        assert words(heard) == []
