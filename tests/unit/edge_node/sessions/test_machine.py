"""A session as a play: what happens, and what is done about it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.events import (
    Audio,
    Command,
    Drain,
    DrainOver,
    EndUtterance,
    Failed,
    HangUp,
    Hear,
    Hush,
    LeaveSeat,
    LinkLost,
    Mark,
    ReadAudio,
    Say,
    SeatGranted,
    Spoke,
    TakeSeat,
    Tell,
    Tick,
    Writable,
)
from edge_node.sessions.finals import KEPT_LIMIT
from edge_node.sessions.heard import (
    AllHeard,
    Consumed,
    FlushDone,
    MarkerPassed,
    SeatFailed,
    Wordless,
    WordsForGood,
    WordsSoFar,
)
from edge_node.sessions.limits import Limits
from edge_node.sessions.machine import Session
from edge_node.sessions.opening import Offer
from edge_node.sessions.states import Seat, Stream
from heliovox.protocol import messages as wire
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.closing import CloseCode
from shared.errors import EngineFailed, NodeFull

OFFER = Offer("here", ("en",), ("ears",), ("eve", "adam"), 320, 200)
HELLO = wire.Word("hello", 100, 400, 0.9)


def opened(limits: Limits | None = None, **ask: Any) -> Session:
    session = Session(OFFER, limits or Limits())
    [take] = session.handle(wire.Start(**ask))
    assert isinstance(take, TakeSeat)
    session.handle(SeatGranted("s1", take.opening))
    return session


def told(commands: list[Command]) -> list[Any]:
    return [command.message for command in commands if isinstance(command, Tell)]


def error_of(commands: list[Command]) -> wire.Error:
    [error] = [message for message in told(commands) if isinstance(message, wire.Error)]
    assert isinstance(commands[-1], HangUp)
    return error


def test_a_session_opens_hears_and_ends() -> None:
    session = Session(OFFER, Limits())
    [take] = session.handle(wire.Start(language="EN"))
    [started] = told(session.handle(SeatGranted("s1", take.opening)))
    assert (started.session, started.language, started.model, started.voice) == (
        "s1",
        "en",
        "ears",
        None,
    )
    assert session.handle(Audio(bytes(640))) == [Hear(bytes(640))]
    assert told(session.handle(WordsSoFar(0, 320, (HELLO,)))) == [
        wire.SpeechStarted(1600),
        wire.Partial(0, 320, "hello", (HELLO,)),
    ]
    assert session.handle(wire.Finish()) == [EndUtterance("", "finish")]
    final = wire.Final(1, 0, 320, "hello", (HELLO,), "finish")
    assert told(session.handle(WordsForGood(0, 320, (HELLO,), "finish"))) == [final]
    *before, leave, hang_up = session.handle(AllHeard(320))
    assert told(before) == [wire.Ended("s1", "finish", 1, 20)]
    assert (leave, hang_up) == (LeaveSeat(), HangUp(CloseCode.NORMAL, "finish"))
    assert (session.stream.state, session.seat.state) == (Stream.ENDED, Seat.NONE)


def test_finals_are_numbered_without_gaps_and_released_when_acknowledged() -> None:
    session = opened()
    for number in (1, 2):
        heard = WordsForGood(320 * (number - 1), 320 * number, (HELLO,), "endpoint")
        final = next(m for m in told(session.handle(heard)) if isinstance(m, wire.Final))
        assert final.seq == number
    assert told(session.handle(wire.Ack(1))) == [wire.Progress(0, 320)]
    assert told(session.handle(wire.Ack(1))) == []
    assert told(session.handle(wire.Ack(2))) == [wire.Progress(0, 640)]
    [notice] = told(session.handle(wire.Ack(3)))
    assert (notice.field, notice.value) == ("seq", "3")
    assert notice.remedy


def test_silence_is_released_where_nothing_waits_for_acknowledgement() -> None:
    session = opened()
    assert told(session.handle(Wordless(500))) == [wire.Progress(0, 500)]
    session.handle(WordsForGood(500, 900, (HELLO,), "endpoint"))
    assert told(session.handle(Wordless(1500))) == []


def test_wishes_are_answered_and_bounded() -> None:
    session = opened(Limits(wishes=2))
    assert session.handle(wire.Flush("f")) == [EndUtterance("f", "flush")]
    assert session.handle(wire.Marker("m")) == [Mark("m")]
    assert told(session.handle(FlushDone("f", 7))) == [wire.Flushed("f", 0, 7)]
    assert told(session.handle(MarkerPassed("m", 7))) == [wire.MarkerReached("m", 7)]
    session.handle(wire.Flush("a"))
    session.handle(wire.Flush("b"))
    error = error_of(session.handle(wire.Flush("c")))
    assert (error.code, error.value) == ("too_big", "c")


def test_reading_stops_while_audio_piles_up_and_goes_on_below_half() -> None:
    session = opened(Limits(backlog_s=1.0))
    assert session.handle(Audio(bytes(32_000)))[1:] == []
    assert session.handle(Audio(bytes(2)))[1:] == [ReadAudio(yes=False)]
    assert session.handle(Audio(bytes(2)))[1:] == []
    assert session.handle(Consumed(8_000)) == []
    assert session.handle(Consumed(8_002)) == [ReadAudio(yes=True)]
    assert session.handle(Audio(bytes(2), worked_off_sample=8_002))[1:] == []


def test_a_caller_that_does_not_keep_up_is_spared_partials() -> None:
    session = opened()
    assert session.handle(Writable(yes=False)) == []
    assert told(session.handle(WordsSoFar(0, 320, (HELLO,)))) == [wire.SpeechStarted(1600)]
    assert session.handle(Writable(yes=True)) == []
    [partial] = told(session.handle(WordsSoFar(0, 960, (HELLO,))))
    assert partial.through_sample == 960


def test_a_partial_is_told_when_the_words_have_changed() -> None:
    session, there = opened(), wire.Word("there", 500, 700, 0.9)
    assert session.handle(WordsSoFar(0, 320, ())) == []
    partials = [
        message
        for words in [(HELLO,), (HELLO,), (HELLO, there), (HELLO,), ()]
        for message in told(session.handle(WordsSoFar(0, 640, words)))
        if isinstance(message, wire.Partial)
    ]
    assert [partial.text for partial in partials] == ["hello", "hello there", "hello", ""]
    session.handle(WordsSoFar(0, 640, (HELLO,)))
    session.handle(WordsForGood(0, 960, (HELLO,), "endpoint"))
    assert len(told(session.handle(WordsSoFar(960, 1280, (HELLO,))))) == 2


def test_texts_are_said_one_after_another() -> None:
    session = opened(kind="conversation")
    first, second, third = (wire.Speak(name, "text") for name in "abc")
    assert session.handle(first) == [Say(first)]
    assert session.handle(second) == []
    assert session.handle(third) == []
    assert told(session.handle(wire.Cancel("b"))) == [wire.Spoken("b", 0, cancelled=True)]
    assert session.handle(wire.Cancel("a")) == [Hush("a")]
    commands = session.handle(Spoke("a", 10, cancelled=True))
    assert commands == [Tell(wire.Spoken("a", 10, cancelled=True)), Say(third)]
    assert session.handle(wire.Cancel("unknown")) == []


def test_a_text_that_cannot_be_taken_is_refused_and_the_session_goes_on() -> None:
    session = opened(Limits(speaks=1, text_characters=4), kind="synthesis")
    [notice, spoken] = told(session.handle(wire.Speak("long", "12345")))
    assert (notice.code, notice.field, spoken.cancelled) == ("too_big", "text", True)
    session.handle(wire.Speak("a", "ok"))
    assert told(session.handle(wire.Speak("a", "ok")))[0].code == "invalid_message"
    assert told(session.handle(wire.Speak("b", "ok")))[0].code == "too_big"
    assert session.stream.state is Stream.LIVE


def test_finish_waits_for_what_is_still_to_be_said() -> None:
    session = opened(kind="conversation")
    session.handle(wire.Speak("a", "text"))
    session.handle(wire.Finish())
    assert session.handle(AllHeard(0)) == []
    assert isinstance(session.handle(Spoke("a", 10, cancelled=False))[-1], HangUp)


def test_draining_hears_to_the_end_and_says_why() -> None:
    session = opened()
    assert told(session.handle(Drain(500))) == [wire.Draining(500)]
    assert session.handle(DrainOver()) == [EndUtterance("", "finish")]
    assert session.handle(Audio(b"\0\0")) == []
    *before, _, hang_up = session.handle(AllHeard(0))
    assert told(before)[-1].reason == "draining"
    assert hang_up.code is CloseCode.GOING_AWAY


@pytest.mark.parametrize(
    "said",
    [Audio(b"\0\0"), wire.Flush(), wire.Marker(), wire.Speak("a", "text"), wire.Finish()],
)
def test_what_crosses_a_draining_nodes_end_on_the_way_is_no_error(
    said: Audio | wire.ClientMessage,
) -> None:
    session = opened(kind="conversation")
    session.handle(Drain(500))
    session.handle(DrainOver())
    assert session.handle(said) == []
    assert session.handle(AllHeard(0))[-1] == HangUp(CloseCode.GOING_AWAY, "draining")


def test_a_draining_node_does_not_wait_for_texts_that_are_still_to_be_said() -> None:
    session = opened(kind="synthesis")
    session.handle(wire.Speak("a", "text"))
    *before, hang_up = session.handle(DrainOver())
    assert told(before)[-1].reason == "draining"
    assert hang_up == HangUp(CloseCode.GOING_AWAY, "draining")


def test_draining_ends_a_session_that_is_finishing() -> None:
    session = opened(kind="conversation")
    session.handle(wire.Speak("a", "text"))
    session.handle(wire.Finish())
    assert session.handle(DrainOver()) == []
    assert session.handle(AllHeard(0))[-1] == HangUp(CloseCode.GOING_AWAY, "draining")


def test_audio_is_a_sign_of_life_and_a_caller_who_is_not_read_from_is_not_silent() -> None:
    session = opened(Limits(silent_s=300, backlog_s=1.0))
    session.handle(Tick(100.0))
    session.handle(Audio(bytes(2)))
    assert session.handle(Tick(400.0)) == []
    session.handle(Audio(bytes(40_000)))
    session.handle(Tick(500.0))
    assert session.handle(Tick(900.0)) == []
    assert session.handle(Consumed(20_000)) == [ReadAudio(yes=True)]
    assert session.handle(Tick(1199.0)) == []
    assert error_of(session.handle(Tick(1200.0))).code == "limit_passed"


def test_a_caller_who_never_acknowledges_is_told_once_until_he_does() -> None:
    session = opened()

    def warnings(finals: int) -> int:
        heard = [WordsForGood(0, 1, (HELLO,), "endpoint")] * finals
        messages = [message for one in heard for message in told(session.handle(one))]
        return sum(isinstance(message, wire.Notice) for message in messages)

    assert [warnings(KEPT_LIMIT), warnings(1), warnings(9)] == [0, 1, 0]
    session.handle(wire.Ack(KEPT_LIMIT + 10))
    assert [warnings(KEPT_LIMIT), warnings(1), warnings(9)] == [0, 1, 0]


def test_a_caller_who_has_not_said_start_when_the_node_stops_is_told_why() -> None:
    """`started` or `error` comes first, so he hears nothing of `draining` before."""
    session = Session(OFFER, Limits())
    assert session.handle(Drain(500)) == []
    error = error_of(session.handle(DrainOver()))
    assert (error.code, error.retryable) == ("node_draining", True)


def test_a_session_that_has_ended_hears_nothing_of_draining() -> None:
    session = opened()
    session.handle(wire.Finish())
    assert told(session.handle(Drain(500))) == [wire.Draining(500)]
    session.handle(AllHeard(0))
    assert session.handle(Drain(500)) == []


def test_messages_without_audio_are_not_kept() -> None:
    """They would never make a chunk, so nobody would ever take them away."""
    assert opened().handle(Audio(b"")) == []


@pytest.mark.parametrize("wish", [wire.Flush, wire.Marker, lambda name: wire.Speak(name, "text")])
def test_names_are_bounded_because_they_are_kept(wish: Any) -> None:
    limits = Limits(id_characters=3)
    assert opened(limits, kind="conversation").handle(wish("abc"))
    error = error_of(opened(limits, kind="conversation").handle(wish("abcd")))
    assert (error.code, error.field) == ("too_big", "id")


def test_a_cancel_of_a_name_that_no_text_can_have_is_refused_and_of_another_is_not() -> None:
    session = opened(Limits(id_characters=3), kind="conversation")
    assert session.handle(wire.Cancel("abc")) == []
    error = error_of(session.handle(wire.Cancel("abcd")))
    assert (error.code, error.field) == ("too_big", "id")


def test_an_id_in_use_is_refused_without_an_end_of_its_first_text() -> None:
    """`spoken` would be taken for the end of the text that is being said."""
    session = opened(kind="synthesis")
    session.handle(wire.Speak("a", "first"))
    [notice] = told(session.handle(wire.Speak("a", "second")))
    assert (notice.code, notice.field, notice.id) == ("invalid_message", "id", "a")


def test_a_lost_link_gives_the_seat_back_and_tells_nobody() -> None:
    session = opened()
    assert session.handle(LinkLost()) == [LeaveSeat()]
    assert session.handle(WordsForGood(0, 1, (HELLO,), "endpoint")) == []


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({"kind": "divination"}, "kind"),
        ({"language": "tlh"}, "language"),
        ({"audio": AudioFormat("pcm_s16le", 11025)}, "audio.sample_rate"),
        ({"audio": AudioFormat("mulaw", 16000)}, "audio.sample_rate"),
        ({"output": AudioFormat("mp3", 16000)}, "output.encoding"),  # type: ignore[arg-type]
        ({"kind": "synthesis", "voice": "hal"}, "voice"),
        ({"model": "other"}, "model"),
        ({"graph": "klingon"}, "graph"),
    ],
)
def test_what_the_node_does_not_have_is_refused_by_name(ask: dict[str, Any], field: str) -> None:
    error = error_of(Session(OFFER, Limits()).handle(wire.Start(**ask)))
    assert (error.code, error.field) == ("unsupported", field)
    assert error.remedy


@pytest.mark.parametrize(
    ("asked", "graph"),
    [(None, "telephone"), ("digits", "digits"), ("none", None), ("", None)],
)
def test_a_session_chooses_its_graph(asked: str | None, graph: str | None) -> None:
    offer = replace(OFFER, graphs=("digits", "telephone"), graph="telephone")
    session = Session(offer, Limits())
    [take] = session.handle(wire.Start(graph=asked))
    assert isinstance(take, TakeSeat)
    assert take.opening.graph == (graph or "")
    [started] = told(session.handle(SeatGranted("s", take.opening)))
    assert isinstance(started, wire.Started)
    assert started.graph == graph


def test_without_graphs_none_is_the_default_and_a_voice_needs_none() -> None:
    [take] = Session(OFFER, Limits()).handle(wire.Start())
    assert isinstance(take, TakeSeat)
    assert take.opening.graph == ""
    offer = replace(OFFER, graphs=("telephone",), graph="telephone")
    [take] = Session(offer, Limits()).handle(wire.Start(kind="synthesis"))
    assert isinstance(take, TakeSeat)
    assert take.opening.graph == ""


@pytest.mark.parametrize("silence_ms", [199, 5001, -1])
def test_a_number_out_of_range_is_refused(silence_ms: int) -> None:
    error = error_of(Session(OFFER, Limits()).handle(wire.Start(endpoint_silence_ms=silence_ms)))
    assert (error.code, error.field) == ("invalid_message", "endpoint_silence_ms")


@pytest.mark.parametrize(
    ("session", "event", "code"),
    [
        (Session(OFFER, Limits()), Audio(b"\0\0"), "wrong_kind_of_message"),
        (Session(OFFER, Limits()), wire.Flush(), "invalid_message"),
        (Session(OFFER, Limits()), wire.Finish(), "invalid_message"),
        (opened(), wire.Start(), "invalid_message"),
        (opened(), wire.Speak("a", "text"), "invalid_message"),
        (opened(kind="synthesis"), Audio(b"\0\0"), "wrong_kind_of_message"),
        (opened(kind="synthesis"), wire.Flush(), "invalid_message"),
        (opened(), Failed(NodeFull("here", 3, 3)), "node_full"),
        (opened(), SeatFailed(EngineFailed("broke")), "engine_failed"),
    ],
)
def test_what_is_out_of_place_ends_the_session_with_a_reason(
    session: Session, event: Any, code: str
) -> None:
    commands = session.handle(event)
    assert error_of(commands).code == code
    assert session.stream.state is Stream.ENDED
    assert session.seat.state is Seat.NONE


def test_a_wav_header_is_recognised_however_it_is_cut() -> None:
    session = opened()
    header = b"RIFF\x24\x00\x00\x00WAVEfmt "
    commands: list[Command] = []
    for byte in header[:12]:
        commands = session.handle(Audio(bytes([byte])))
    assert "WAV header" in error_of(commands).message


def test_time_runs_out_for_who_says_nothing() -> None:
    session = Session(OFFER, Limits(start_within_s=10, silent_s=300))
    assert session.handle(Tick(100.0)) == []
    assert session.handle(Tick(109.0)) == []
    assert error_of(session.handle(Tick(110.0))).code == "limit_passed"
    session = opened(Limits(start_within_s=10, silent_s=300))
    session.handle(Tick(100.0))
    assert session.handle(Tick(399.0)) == []
    session.handle(wire.KeepAlive())
    assert session.handle(Tick(400.0)) == []
    assert session.handle(Tick(699.0)) == []
    assert error_of(session.handle(Tick(700.0))).code == "limit_passed"


EVENTS = st.sampled_from(
    [
        wire.Start(kind="conversation"),
        Audio(b"\0\0\0"),
        wire.Flush("f"),
        wire.Marker("m"),
        wire.Ack(1),
        wire.Speak("a", "t"),
        wire.Cancel("a"),
        wire.KeepAlive(),
        wire.Finish(),
        WordsSoFar(0, 1, (HELLO,)),
        WordsForGood(0, 1, (HELLO,), "endpoint"),
        Wordless(2),
        Consumed(1),
        AllHeard(1),
        Spoke("a", 1, cancelled=False),
        Writable(yes=False),
        Writable(yes=True),
        Drain(1),
        DrainOver(),
        LinkLost(),
        Tick(1.0),
        Failed(EngineFailed("x")),
    ]
)


@given(events=st.lists(EVENTS, max_size=20))
def test_no_order_of_events_breaks_a_session(events: list[Any]) -> None:
    """Seats are given back exactly once, nothing is said after hanging up, nothing is raised."""
    session, seats, hung_up, seqs = Session(OFFER, Limits()), 0, False, []
    for event in events:
        for command in session.handle(event):
            assert not hung_up, "a command after hanging up"
            if isinstance(command, TakeSeat):
                seats += 1
                session.handle(SeatGranted("s", command.opening))
            seats -= isinstance(command, LeaveSeat)
            hung_up = isinstance(command, HangUp)
            if isinstance(command, Tell) and isinstance(command.message, wire.Final):
                seqs.append(command.message.seq)
        assert seats == (session.seat.state is Seat.HELD)
    assert seqs == list(range(1, len(seqs) + 1))
    assert (session.stream.state is Stream.ENDED) <= (seats == 0)
