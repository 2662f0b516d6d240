"""Sessions that lose their connection, are taken over, or move: events in, commands out."""

from typing import Any

from edge_node.sessions.events import (
    Audio,
    Detach,
    Displaced,
    DrainOver,
    Failed,
    HangUp,
    Hear,
    LeaveSeat,
    LinkLost,
    Move,
    MoveDue,
    SeatGranted,
    TakeSeat,
    Tell,
)
from edge_node.sessions.heard import AllHeard, FlushDone, Wordless, WordsForGood, WordsSoFar
from edge_node.sessions.kept import Kept, kept_elsewhere
from edge_node.sessions.limits import Limits
from edge_node.sessions.machine import Session
from edge_node.sessions.opening import Offer
from edge_node.sessions.states import Link, Seat, Stream
from heliovox.protocol import messages as wire
from heliovox.protocol.closing import CloseCode
from shared.errors import InvalidMessage, LimitPassed

OFFER = Offer("here", ("en",), ("ears",), ("eve",), 320, 200)
HELLO = wire.Word("hello", 100, 400, 0.9)
RECOVERY = wire.Recovery("t1", 120.0)
NEXT = wire.Recovery("t2", 120.0, 2)
ELSEWHERE = wire.Redirect("ws://b/v1/stream", "ticket", "b", "r", "d", "moved")


def opened(kept: Kept | None = None, resume: wire.Resume | None = None, **ask: Any) -> Session:
    return begun(kept, resume, **ask)[0]


def begun(
    kept: Kept | None = None, resume: wire.Resume | None = None, **ask: Any
) -> tuple[Session, list[Any]]:
    session = Session(OFFER, Limits())
    [take] = session.handle(wire.Start(recovers=True, **ask))
    assert isinstance(take, TakeSeat)
    with_that = NEXT if kept else RECOVERY
    granted = SeatGranted("s1", take.opening, None, with_that, kept, resume or wire.Resume("t1"))
    return session, session.handle(granted)


def told(commands: list[Any]) -> list[Any]:
    return [command.message for command in commands if isinstance(command, Tell)]


def say(session: Session, first: int, end: int) -> list[Any]:
    return session.handle(WordsForGood(first, end, (HELLO,), "endpoint"))


def test_a_lost_connection_leaves_the_device_and_keeps_what_the_session_goes_on_with() -> None:
    session = opened()
    session.handle(Audio(bytes(3200)))
    say(session, 0, 800)
    assert session.handle(LinkLost()) == [Detach()]
    kept = session.kept
    assert (kept.session, kept.through_sample, kept.heard_sample) == ("s1", 800, 1600)
    assert (kept.link.state, kept.seat.state) == (Link.DETACHED, Seat.HELD)
    assert say(session, 800, 1600) == [], "what is on its way from the device is heard again"
    assert kept.finals.seq == 1


def test_it_goes_on_with_its_numbers_and_says_again_what_the_caller_lacks() -> None:
    first = opened()
    first.handle(Audio(bytes(3200)))
    say(first, 0, 400)
    say(first, 400, 800)
    first.handle(LinkLost())
    session, commands = begun(first.kept, wire.Resume("t1", 1, 400))
    started, again = told(commands)
    assert (started.session, started.from_sample, started.recovery) == ("s1", 800, NEXT)
    assert (again.seq, again.from_sample, again.through_sample) == (2, 400, 800)
    assert session.received_sample == 800
    assert session.handle(Audio(bytes(640))) == [Hear(bytes(640))]
    assert told(say(session, 800, 1120))[-1].seq == 3
    assert told(session.handle(wire.Ack(3))) == [wire.Progress(1120, 1120)]
    assert (session.link.state, session.seat.state) == (Link.ATTACHED, Seat.HELD)


def test_the_session_that_was_left_stays_as_it_was_once_another_one_has_taken_over() -> None:
    first = opened()
    first.handle(LinkLost())
    opened(first.kept)
    assert first.handle(wire.Finish()) == []
    assert first.link.state is Link.DETACHED


def test_another_node_goes_on_where_the_caller_says() -> None:
    from_there = kept_elsewhere("s1", opened().opening or _none(), wire.Resume("t1", 5, 9600))
    session, commands = begun(from_there, wire.Resume("t1", 5, 9600))
    [started] = told(commands)
    assert started.from_sample == 9600
    assert session.seat.state is Seat.HELD
    session.handle(Audio(b"RIFF\x00\x00\x00\x00WAVE"))  # no header: a session began before it
    assert told(say(session, 9600, 9606))[-1].seq == 6


def test_who_says_goodbye_does_not_come_back() -> None:
    session = opened()
    assert session.handle(LinkLost(goodbye=True)) == [LeaveSeat()]
    assert session.ended_because == "link_lost"


def test_who_never_said_that_he_recovers_ends_with_his_connection() -> None:
    session = Session(OFFER, Limits())
    [take] = session.handle(wire.Start())
    session.handle(SeatGranted("s1", take.opening))
    assert session.handle(LinkLost()) == [LeaveSeat()]


def test_the_newer_connection_wins_and_the_older_is_told() -> None:
    session = opened()
    error, hang_up, detach = session.handle(Displaced())
    assert error.message.code == "superseded"
    assert (hang_up, detach) == (HangUp(CloseCode.SUPERSEDED, "superseded"), Detach())
    assert session.stream.state is Stream.LIVE
    assert session.handle(LinkLost()) == []


def test_a_caller_who_does_not_read_may_come_back_and_one_who_is_wrong_may_not() -> None:
    session = opened()
    assert session.handle(Failed(LimitPassed("unread")))[-1] == Detach()
    session = opened()
    assert LeaveSeat() in session.handle(Failed(InvalidMessage("wrong")))


def test_the_last_words_are_said_again_to_a_caller_who_may_not_have_got_them() -> None:
    first = opened()
    first.handle(Audio(bytes(640)))
    first.handle(wire.Finish())
    say(first, 0, 320)
    ended, leave, hang_up = first.handle(AllHeard(320))
    assert leave == LeaveSeat()
    session, commands = begun(first.kept)
    started, final, again = told(commands)
    assert (started.from_sample, final.seq, again) == (320, 1, ended.message)
    assert commands[-1] == hang_up
    assert not any(isinstance(command, LeaveSeat) for command in commands), "it held none"
    assert told(begun(session.kept)[1])[1:] == [final, again], "and again"


def test_a_finish_that_was_not_answered_is_said_again() -> None:
    first = opened()
    first.handle(Audio(bytes(640)))
    first.handle(wire.Finish())
    assert first.handle(LinkLost()) == [Detach()]
    session = opened(first.kept)
    session.handle(Audio(bytes(640)))
    session.handle(wire.Finish())
    session.handle(Wordless(320))
    assert told(session.handle(AllHeard(320)))[-1] == wire.Ended("s1", "finish", 0, 20)


def test_a_node_that_stops_sends_away_whom_others_take_on() -> None:
    session = opened()
    hang_up, detach = session.handle(DrainOver(elsewhere=True))
    assert (hang_up, detach) == (HangUp(CloseCode.GOING_AWAY, "draining"), Detach())
    alone = opened(kind="synthesis").handle(DrainOver())
    assert told(alone)[-1].reason == "draining", "nobody else takes it on"
    operator = opened(kind="synthesis").handle(DrainOver("operator"))
    assert told(operator)[-1].reason == "operator", "whom an operator ends does not go on"


def test_a_move_waits_for_the_end_of_an_utterance() -> None:
    session = opened()
    session.handle(Audio(bytes(3200)))
    session.handle(WordsSoFar(0, 800, (HELLO,)))
    assert session.handle(Move(ELSEWHERE)) == []
    final, redirect, hang_up, detach = say(session, 0, 800)
    assert redirect.message.from_sample == 800
    assert (hang_up, detach) == (HangUp(CloseCode.MOVED, "redirected"), Detach())
    assert final.message.seq == 1
    assert session.kept.seat.state is Seat.HANDING_OVER
    assert session.handle(FlushDone("f", 800)) == [], "it is asked for again there"


def test_a_move_does_not_wait_for_ever_and_not_where_nobody_speaks() -> None:
    session = opened()
    session.handle(WordsSoFar(0, 800, (HELLO,)))
    session.handle(Move(ELSEWHERE))
    [redirect, *_] = session.handle(MoveDue())
    assert redirect.message.from_sample == 0
    assert session.handle(MoveDue()) == []
    [redirect, *_] = opened().handle(Move(ELSEWHERE))
    assert redirect.message.reason == "moved"
    [redirect, *_] = opened(kind="synthesis").handle(Move(ELSEWHERE))
    assert redirect.message.from_sample == 0


def test_who_is_about_to_end_does_not_move() -> None:
    session = opened()
    session.handle(WordsSoFar(0, 800, (HELLO,)))
    session.handle(Move(ELSEWHERE))
    session.handle(wire.Finish())
    assert session.handle(MoveDue()) == []
    say(session, 0, 800)
    assert told(session.handle(AllHeard(800)))[-1].reason == "finish"
    assert opened(kind="synthesis").handle(wire.Finish())


def _none() -> Any:
    raise AssertionError
