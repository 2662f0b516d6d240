"""The caller's machine when its connection is lost: what it says next, and what it tells."""

import msgspec
import pytest

from heliovox.client.errors import NodeMisbehaved, Refused
from heliovox.client.events import Gap
from heliovox.client.machine import SessionMachine, State
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.codec import encode

PCM = AudioFormat("pcm_s16le", 8000)
START = m.Start(audio=PCM, recovers=True, moves=True, redirect=True)
STARTED = m.Started(
    "s", "n", 1, "recognition", "en", "m", None, PCM, PCM, 1, 1, recovery=m.Recovery("one", 120.0)
)


def live(kept_s: float = 1.0) -> SessionMachine:
    machine = SessionMachine(START, kept_s)
    machine.text(encode(STARTED))
    return machine


def again(from_sample: int, token: str = "two") -> bytes:
    recovery = m.Recovery(token, 120.0, 2)
    return encode(msgspec.structs.replace(STARTED, recovery=recovery, from_sample=from_sample))


def final(seq: int, through: int) -> m.Final:
    return m.Final(seq, through - 10, through, "yes", (), "endpoint")


def said(machine: SessionMachine) -> list[bytes | m.ClientMessage]:
    found: list[bytes | m.ClientMessage] = []
    while batch := machine.unsaid(1000):
        found += batch
    return found


def test_it_says_where_its_words_end_and_sends_what_lies_behind() -> None:
    machine = live()
    audio = bytes(range(200))
    machine.sent(audio)
    machine.asked(m.Flush("f"))
    machine.text(encode(final(1, 40)))
    machine.lost()
    machine.sent(b"more")
    assert machine.finish()
    assert machine.hello() == msgspec.structs.replace(START, resume=m.Resume("one", 1, 40))
    machine.text(again(40))
    assert machine.state is State.FINISHING
    assert said(machine) == [audio[80:], m.Flush("f"), b"more", m.Finish()]
    assert not machine.behind


def test_an_answered_flush_is_a_boundary_though_no_final_came_of_it() -> None:
    """The words of one undisturbed session began afresh there, and so must these."""
    machine = live()
    machine.sent(bytes(200))
    machine.asked(m.Flush("f"))
    machine.text(encode(m.Flushed("f", 0, 100)))
    machine.lost()
    resume = machine.hello().resume
    assert resume is not None
    assert resume.through_sample == 100


def test_finals_that_it_has_are_dropped_and_a_hole_among_them_is_loud() -> None:
    machine = live()
    machine.sent(bytes(200))
    machine.text(encode(final(1, 40)))
    machine.lost()
    machine.text(again(60))
    assert machine.text(encode(final(1, 40))) is None
    assert machine.text(encode(final(2, 60))) == final(2, 60)
    with pytest.raises(NodeMisbehaved):  # what came once on this connection may not come again
        machine.text(encode(final(2, 60)))
    with pytest.raises(NodeMisbehaved):
        machine.text(encode(final(4, 80)))


def test_an_answer_stands_where_its_question_stood() -> None:
    """The node had done with the audio before; for it the flush comes at its boundary."""
    machine = live()
    machine.sent(bytes(80))
    machine.asked(m.Flush("f"))
    machine.asked(m.Marker("m"))
    machine.sent(bytes(80))
    machine.lost()
    machine.text(again(60))
    assert said(machine) == [m.Flush("f"), m.Marker("m"), bytes(40)]
    assert machine.text(encode(m.Flushed("f", 1, 60))) == m.Flushed("f", 1, 40)
    assert machine.text(encode(m.MarkerReached("m", 60))) == m.MarkerReached("m", 40)


def test_audio_that_is_forgotten_is_told_of_and_silence_never_sent_for_it() -> None:
    machine = live(kept_s=100 / 8000)
    machine.lost()
    machine.sent(bytes(range(1, 251)) + bytes(range(1, 251)))
    machine.text(again(0))
    assert machine.losses() == [Gap(0, 150)]
    assert machine.losses() == []
    assert machine.missing_samples == 150
    assert said(machine) == [bytes(range(51, 251))]
    assert machine.text(encode(final(1, 20))) == m.Final(1, 160, 170, "yes", (), "endpoint")


def test_a_refused_attempt_leaves_the_session_as_it_was() -> None:
    machine = live()
    machine.lost()
    with pytest.raises(Refused):
        machine.text(encode(m.Error("node_full", "full", retryable=True)))
    machine.text(again(0))
    assert machine.state is State.LIVE


def test_a_move_goes_on_by_the_token_too() -> None:
    machine = live()
    machine.sent(bytes(200))
    redirect = m.Redirect("u", "t", "n-2", "r", "d", "moved", from_sample=70)
    assert machine.text(encode(redirect)) == redirect
    assert machine.hello().resume == m.Resume("one", 0, 70)


def test_what_was_acknowledged_is_acknowledged_to_the_next_node() -> None:
    machine = live()
    machine.sent(bytes(200))
    machine.text(encode(final(1, 40)))
    machine.stored(1)
    machine.lost()
    machine.text(again(40))
    assert machine.ack() == m.Ack(1)


def test_speech_that_was_told_of_is_told_of_once() -> None:
    machine = live()
    machine.sent(bytes(200))
    assert machine.text(encode(m.SpeechStarted(30))) is not None
    machine.lost()
    machine.text(again(0))
    assert machine.text(encode(m.SpeechStarted(30))) is None


def test_a_sender_is_held_back_by_what_can_be_kept_while_the_node_would_say_more() -> None:
    machine = live(kept_s=100 / 8000)
    machine.sent(bytes(200))
    assert not machine.has_room(1)
    machine.text(encode(final(1, 40)))
    assert machine.has_room(100)  # whether acknowledged or not
    machine.sent(bytes(80))
    assert machine.has_room(1)  # unacknowledged: the node would not tell of silence
    machine.stored(1)
    assert not machine.has_room(1)


def test_a_caller_who_does_not_recover_is_as_he_was() -> None:
    machine = SessionMachine(m.Start(audio=PCM))
    machine.text(encode(STARTED))
    assert not machine.recovers
    assert machine.hello() == m.Start(audio=PCM)
