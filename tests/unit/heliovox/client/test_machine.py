from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.client.errors import NodeMisbehaved, Refused
from heliovox.client.events import AudioOut
from heliovox.client.machine import SessionMachine, State
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.codec import encode

STARTED = m.Started("s", "n", 1, "recognition", "en", "m", None, AudioFormat(), AudioFormat(), 1, 1)
FINAL = m.Final(1, 0, 10, "yes", (m.Word("yes", 0, 1, 0.5),), "endpoint")
LATER: list[m.ServerMessage] = [
    m.SpeechStarted(0),
    m.Partial(0, 1, "y", ()),
    FINAL,
    m.Progress(10, 5),
    m.Flushed("f", 0, 0),
    m.MarkerReached("m", 0),
    m.Speaking("t", "v", AudioFormat()),
    m.VoiceSwitched("t", "a", "b", "c"),
    m.Spoken("t", 0, cancelled=False),
    m.Notice("c", "m"),
    m.Draining(1),
    m.Ended("s", "finish", 0, 0),
]


def live() -> SessionMachine:
    machine = SessionMachine(m.Start())
    machine.text(encode(STARTED))
    return machine


@pytest.mark.parametrize("message", LATER, ids=lambda message: type(message).__name__)
def test_every_message_comes_out_as_it_went_in(message: m.ServerMessage) -> None:
    assert live().text(encode(message)) == message


@pytest.mark.parametrize("message", LATER, ids=lambda message: type(message).__name__)
def test_nothing_comes_before_started(message: m.ServerMessage) -> None:
    with pytest.raises(NodeMisbehaved):
        SessionMachine(m.Start()).text(encode(message))


def test_a_session_starts_once() -> None:
    with pytest.raises(NodeMisbehaved):
        live().text(encode(STARTED))


def test_nothing_comes_after_ended() -> None:
    machine = live()
    machine.text(encode(LATER[-1]))
    assert machine.state is State.ENDED
    with pytest.raises(NodeMisbehaved):
        machine.text(encode(m.Draining(1)))


@pytest.mark.parametrize("seq", [1, 3])
def test_finals_are_numbered_without_gaps(seq: int) -> None:
    machine = live()
    machine.text(encode(FINAL))
    with pytest.raises(NodeMisbehaved):
        machine.text(encode(msgspec.structs.replace(FINAL, seq=seq)))


def test_progress_lets_released_audio_go_and_keeps_the_rest() -> None:
    machine = live()
    machine.sent(bytes(20))
    machine.text(encode(m.Progress(10, 4)))
    assert machine.kept.from_sample == 4


def test_audio_belongs_to_the_text_being_spoken() -> None:
    machine = live()
    machine.text(encode(LATER[6]))
    assert machine.audio(b"x").id == "t"
    machine.text(encode(m.Spoken("t", 1, cancelled=False)))
    with pytest.raises(NodeMisbehaved):
        machine.audio(b"x")


@given(seqs=st.lists(st.integers(-1, 5)))
def test_acknowledgements_only_grow_and_never_pass_what_came(seqs: list[int]) -> None:
    machine = live()
    for seq in (1, 2, 3):
        machine.text(encode(m.Final(seq, 0, 0, "", (), "flush")))
    said = [ack.seq for seq in seqs if (ack := machine.stored(seq))]
    assert said == sorted(set(said))
    assert set(said) <= {1, 2, 3}


def test_finish_is_said_once_to_a_live_session() -> None:
    machine = SessionMachine(m.Start())
    assert not machine.finish()
    machine.text(encode(STARTED))
    assert [machine.finish(), machine.finish()] == [True, False]


@given(st.one_of(st.binary(), st.text()))
def test_any_bytes_are_an_event_or_a_named_error(data: bytes | str) -> None:
    with suppress(NodeMisbehaved, Refused):
        live().text(data)


@given(
    st.lists(
        st.sampled_from([STARTED, *LATER, m.Error("internal", "x")]).map(encode)
        | st.binary(max_size=5)
    )
)
def test_any_order_of_messages_is_events_or_a_named_error(heard: list[bytes]) -> None:
    """And whatever came, what was released stays within what was sent."""
    machine = SessionMachine(m.Start())
    machine.sent(bytes(12))
    for data in heard:
        with suppress(NodeMisbehaved, Refused):
            machine.text(data)
        with suppress(NodeMisbehaved):
            machine.audio(data)
    assert machine.kept.from_sample <= machine.kept.sent_samples == 6
    assert machine.last_final <= len(heard)


def test_a_text_cancelled_while_it_waits_does_not_end_the_one_being_said() -> None:
    machine = live()
    machine.text(encode(m.Speaking("a", "mouth", AudioFormat())))
    machine.text(encode(m.Spoken("b", 0, cancelled=True)))
    assert machine.audio(b"ab") == AudioOut("a", b"ab")
    machine.text(encode(m.Spoken("a", 1, cancelled=False)))
    with pytest.raises(NodeMisbehaved):
        machine.audio(b"cd")
