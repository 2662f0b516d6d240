"""A node that is emptied: paced, with patience, and honest about who stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.sessions.leaving import (
    A_ROUND,
    AGAIN_MS,
    ARRIVES_MS,
    AT_ONCE,
    TRIES,
    Leaving,
)
from control_plane.sessions.moving import MoveUnderWay, NotMovable
from control_plane.sessions.row import Row
from control_plane.sessions.table import SessionTable
from shared.errors import NoRoom, VoiceError
from tests.unit.control_plane.sessions.test_following import said


def live(*sessions: str) -> tuple[Row, ...]:
    table = SessionTable(1_000)
    for session in sessions:
        table.noted(said("started", 1, 1_000, session=session))
    return table.live_at("n")


def test_sessions_go_a_few_at_a_time_and_are_counted_where_they_come() -> None:
    rows, leaving = live(*(f"s-{at}" for at in range(20))), Leaving("n")
    first = leaving.next(rows, 0)
    assert len(first) == A_ROUND
    for session in first:
        leaving.told(session, 10)
    second = leaving.next(rows, 20)
    assert set(second).isdisjoint(first)
    leaving.gone({row.session for row in rows} - set(first), elsewhere=first[:3])
    view = leaving.view(12, draining=True)
    assert (view.moved, view.moving, view.live, view.done) == (3, A_ROUND, 12, False)


@given(st.integers(1, 200))
def test_never_more_are_on_their_way_than_may_be(count: int) -> None:
    rows, leaving, asked = live(*(f"s-{at}" for at in range(count))), Leaving("n"), 0
    for _ in range(40):
        now = leaving.next(rows, 0)
        assert len(now) <= A_ROUND
        asked += len(now)
    assert asked == min(count, AT_ONCE)


def test_who_cannot_be_moved_stays_and_is_listed() -> None:
    rows, leaving = live("a", "b"), Leaving("n")
    leaving.next(rows, 0)
    leaving.failed("a", NotMovable("its caller cannot follow"), 0)
    leaving.told("b", 0)
    leaving.gone({"a"}, elsewhere={"b"})
    assert leaving.next(rows[:1], 10**9) == ()
    view = leaving.view(1, draining=True)
    assert (view.done, view.moved) == (True, 1)
    assert [(one.session, one.code) for one in view.stays] == [("a", "not_movable")]


def tries_until_it_stays(error: VoiceError) -> int:
    rows, leaving, now_ms, tries = live("a"), Leaving("n"), 0, 0
    while now_ms < 10**6 and not leaving.view(1, draining=True).stays:
        for session in leaving.next(rows, now_ms):
            tries += 1
            leaving.failed(session, error, now_ms)
            assert leaving.next(rows, now_ms + AGAIN_MS - 1) == ()
        now_ms += AGAIN_MS
    return tries


@pytest.mark.parametrize(
    ("error", "tries"), [(NoRoom("full"), TRIES), (NotMovable("no"), 1), (MoveUnderWay("go"), 500)]
)
def test_what_may_help_later_is_tried_again_and_what_others_do_is_left_to_them(
    error: VoiceError, tries: int
) -> None:
    assert tries_until_it_stays(error) == tries


def test_who_was_told_and_does_not_come_is_told_again() -> None:
    rows, leaving = live("a"), Leaving("n")
    leaving.told(*leaving.next(rows, 0), now_ms=0)
    assert leaving.next(rows, ARRIVES_MS - 1) == ()
    leaving.next(rows, ARRIVES_MS)
    assert leaving.next(rows, ARRIVES_MS + AGAIN_MS) == ("a",)


def test_an_empty_node_is_done_and_one_that_serves_is_not_drained() -> None:
    assert Leaving("n").view(0, draining=True).done
    assert not Leaving("n").view(0, draining=False).done
