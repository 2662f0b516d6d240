"""A socket between a parser, a wire and a conversation that only take notes."""

from types import SimpleNamespace
from typing import Any

import pytest
from picows import WSCloseCode, WSMsgType

from edge_node.protocols.peer import Shown
from edge_node.protocols.sockets import UNSENT_BYTES, Socket, SocketLimits
from shared.errors import VoiceError


class Notes:
    """The wire, the parser's transport and the conversation: what each was told."""

    def __init__(self) -> None:
        self.wire: list[str] = []
        self.sent: list[WSMsgType] = []
        self.unsent = 0
        self.bytes_came = False
        self.underlying_transport = SimpleNamespace(get_extra_info=lambda _: self)
        self.close_handshake = SimpleNamespace(recv=None)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.wire.append(name)

    def now_s(self) -> float:
        return 0.0

    def heard(self) -> bool:
        return self.bytes_came

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def send(self, kind: WSMsgType, _: bytes) -> None:
        self.sent.append(kind)

    def send_pong(self, _: bytes) -> None:
        self.sent.append(WSMsgType.PONG)

    def setsockopt(self, *_: int) -> None:
        pass


class Talk:
    """A conversation."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **named: self.calls.append((name, *given, *named.items()))


def frame(kind: WSMsgType, payload: bytes = b"", **bits: bool) -> Any:
    flags = {"fin": True, "rsv1": False, "rsv2": False, "rsv3": False} | bits
    return SimpleNamespace(msg_type=kind, get_payload_as_bytes=lambda: payload, **flags)


@pytest.fixture
def line() -> tuple[Socket, Notes, Talk]:
    notes, talk = Notes(), Talk()
    socket = Socket(lambda *_: talk, SocketLimits(), Shown())  # type: ignore[arg-type]
    socket.attach(notes)  # type: ignore[arg-type]
    socket.on_ws_connected(notes)  # type: ignore[arg-type]
    return socket, notes, talk


Line = tuple[Socket, Notes, Talk]


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("90.1.1.1", 5), "90.1.1.1"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::1"),
        ("/run/a.sock", None),
        (None, None),
    ],
)
def test_a_conversation_is_told_where_its_caller_comes_from(peer: Any, address: str | None) -> None:
    notes, seen = Notes(), list[Shown]()
    known = {"peername": peer, "socket": notes}
    notes.underlying_transport = SimpleNamespace(get_extra_info=known.get)
    socket = Socket(lambda _, shown: seen.append(shown), SocketLimits(), Shown("k"))  # type: ignore[arg-type,func-returns-value]
    socket.attach(notes)  # type: ignore[arg-type]
    socket.on_ws_connected(notes)  # type: ignore[arg-type]
    assert seen == [Shown("k", None, address)]


def test_messages_go_to_the_conversation_by_their_kind(line: Line) -> None:
    socket, notes, talk = line
    socket.on_ws_frame(notes, frame(WSMsgType.TEXT, b"{}"))
    socket.on_ws_frame(notes, frame(WSMsgType.BINARY, b"\0\1"))
    assert talk.calls == [("text", b"{}"), ("audio", b"\0\1")]


def test_a_reserved_bit_is_refused(line: Line) -> None:
    socket, notes, talk = line
    socket.on_ws_frame(notes, frame(WSMsgType.TEXT, b"{}", rsv1=True))
    [(name, error)] = talk.calls
    assert name == "refuse"
    assert isinstance(error, VoiceError)
    assert error.code == "broken_frame"


def test_who_pings_and_does_not_read_is_not_read_from_until_he_does(line: Line) -> None:
    socket, notes, _ = line
    socket.pause_writing()
    notes.unsent = UNSENT_BYTES
    socket.on_ws_frame(notes, frame(WSMsgType.PING))
    assert "pause_reading" not in notes.wire, "slow is not mute: he may still cancel"
    notes.unsent += 1
    socket.on_ws_frame(notes, frame(WSMsgType.PING))
    assert notes.wire == ["pause_reading"]
    socket.resume_writing()
    assert notes.wire == ["pause_reading", "resume_reading"]
    assert notes.sent == [WSMsgType.PONG] * 2


def test_reading_goes_on_when_neither_side_minds(line: Line) -> None:
    socket, notes, _ = line
    socket.pause_writing()
    notes.unsent = UNSENT_BYTES + 1
    socket.send_text(b"{}")
    socket.pause_reading()
    socket.resume_writing()
    assert notes.wire == ["pause_reading"]
    socket.resume_reading()
    assert notes.wire == ["pause_reading", "resume_reading"]


@pytest.mark.parametrize(("code", "goodbye"), [(WSCloseCode.OK, True), (1001, False)])
def test_who_closes_gives_his_seat_back_at_once_and_is_not_waited_for(
    line: Line, code: int, goodbye: bool
) -> None:
    """What is unsent may never be read. Only who says goodbye does not come back."""
    socket, notes, talk = line
    notes.close_handshake = SimpleNamespace(recv=SimpleNamespace(code=code))
    socket.on_ws_frame(notes, frame(WSMsgType.CLOSE))
    lost = [("lost", ("goodbye", goodbye))]
    assert talk.calls == lost
    assert notes.wire == ["send_close", "await_close", "finish"]
    socket.on_ws_disconnected(notes)
    assert talk.calls == lost


@pytest.mark.parametrize("answered", [True, False])
def test_who_answers_our_goodbye_has_read_what_came_before_it(line: Line, answered: bool) -> None:
    socket, notes, talk = line
    socket.close(1000, "finish")
    if answered:
        socket.on_ws_frame(notes, frame(WSMsgType.CLOSE))
    socket.on_ws_disconnected(notes)
    assert talk.calls == [("lost", ("goodbye", answered))]


def test_who_sends_anything_is_neither_asked_nor_given_up(line: Line) -> None:
    socket, notes, talk = line
    notes.bytes_came = True
    for now_s in range(1, 60):
        socket.tick(now_s)
    assert notes.wire == []
    notes.bytes_came = False
    for now_s in range(60, 100):
        socket.tick(now_s)
    assert notes.wire == ["send_ping", "abort_for"]
    assert talk.calls[-1] == ("tick", 99)


def test_who_does_not_read_is_told_and_let_go(line: Line) -> None:
    socket, notes, talk = line
    notes.bytes_came = True
    socket.pause_writing()
    socket.tick(29)
    socket.tick(30)
    [error] = [given for name, *given in talk.calls if name == "refuse"]
    assert error[0].code == "limit_passed"


def test_after_our_goodbye_only_the_callers_own_is_heard(line: Line) -> None:
    socket, notes, talk = line
    socket.pause_reading()
    socket.close(1000, "finish")
    assert notes.wire == ["pause_reading", "send_close", "await_close", "resume_reading"]
    socket.on_ws_frame(notes, frame(WSMsgType.BINARY, b"late"))
    socket.send_text(b"late")
    assert (talk.calls, notes.sent) == ([], [])
    socket.on_ws_frame(notes, frame(WSMsgType.CLOSE))
    assert notes.wire[-1] == "finish"


@pytest.mark.parametrize(
    ("code", "told"), [(1009, "too_big"), (1002, "broken_frame"), (1007, "broken_frame")]
)
def test_what_cannot_be_parsed_is_said_in_the_wires_own_words(
    line: Line, code: int, told: str
) -> None:
    socket, _, talk = line
    socket.unparsable(code, "as the parser puts it")
    [(name, error)] = talk.calls
    assert (name, error.code) == ("refuse", told)


def test_a_fault_of_ours_is_called_one(line: Line) -> None:
    socket, _, talk = line
    socket.unparsable(1011, "internal error")
    [(_, error)] = talk.calls
    assert (error.code, error.close_code) == ("internal", 1011)


def test_the_ticker_asks_then_gives_up(line: Line) -> None:
    socket, notes, talk = line
    notes.heard = lambda: False  # type: ignore[assignment]
    for now_s in (19, 20, 39, 40):
        socket.tick(now_s)
    assert notes.wire == ["send_ping", "abort_for"]
    assert [call[0] for call in talk.calls] == ["tick"] * 4


def test_the_ticker_tells_who_reads_nothing(line: Line) -> None:
    socket, notes, talk = line
    notes.heard = lambda: True  # type: ignore[assignment]
    socket.pause_writing()
    socket.tick(29)
    socket.tick(30)
    assert [call[0] for call in talk.calls] == ["writable", "tick", "refuse", "tick"]
    assert talk.calls[2][1].code == "limit_passed"


def test_the_first_message_is_told_once(line: Line) -> None:
    socket, notes, _ = line
    for _ in range(3):
        socket.on_ws_frame(notes, frame(WSMsgType.BINARY, b"\0"))
    assert notes.wire.count("spoke") == 1


def test_only_a_caller_who_sends_audio_is_read_with_others(line: Line) -> None:
    """Who types waits for nobody."""
    socket, notes, _ = line
    socket.on_ws_frame(notes, frame(WSMsgType.TEXT, b"{}"))
    assert "gather" not in notes.wire
    for _ in range(3):
        socket.on_ws_frame(notes, frame(WSMsgType.BINARY, b"\0"))
    assert notes.wire.count("gather") == 1


def test_a_fault_in_one_session_ends_that_one_alone(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    socket, notes, talk = line
    notes.heard = lambda: False  # type: ignore[assignment]
    talk.tick = lambda _: 1 / 0  # type: ignore[attr-defined]
    socket.tick(1)
    assert notes.wire[-1] == "abort_for"
    assert "ZeroDivisionError" in caplog.text
