"""What is left at nodes that have a session no more: told until they know, never for ever."""

from itertools import pairwise

from control_plane.sessions.row import Copy
from control_plane.sessions.twice import LONGEST_MS, OLD_MS, Twice
from tests.unit.control_plane.sessions.test_following import said
from tests.unit.control_plane.sessions.test_table import alive, gone

COPY = Copy("s", "r", "n", "boot of n", 48_000, 2, 1_000)


def told(twice: Twice, now_ms: int) -> list[Copy]:
    return list(twice.due(now_ms, alive))


def test_a_silent_node_is_told_again_ever_later() -> None:
    twice = Twice()
    twice.add(COPY, 1_000)
    times = [now_ms for now_ms in range(1_000, 61_000, 50) if told(twice, now_ms)]
    waits = [after - before for before, after in pairwise(times)]
    assert times[0] == 1_000
    assert waits[:3] == [1_000, 2_000, 4_000]
    assert max(waits) == LONGEST_MS
    twice.over(COPY)
    assert len(twice) == 0


def test_with_a_node_goes_what_it_had() -> None:
    twice = Twice()
    twice.add(COPY, 1_000)
    assert list(twice.due(2_000, gone)) == []
    assert len(twice) == 0


def test_one_that_came_back_there_is_not_taken_from_it() -> None:
    twice = Twice()
    twice.add(COPY, 1_000)
    twice.noted(said("usage", 1, 5_000))
    twice.noted(said("resumed", 2, 5_000, "m"))
    assert len(twice) == 1
    twice.noted(said("resumed", 3, 6_000))
    assert told(twice, 7_000) == []


def test_one_that_ended_there_is_over() -> None:
    twice = Twice()
    twice.add(COPY, 1_000)
    twice.noted(said("ended", 1, 5_000, boot="another"))
    assert len(twice) == 1
    twice.noted(said("ended", 1, 5_000))
    assert len(twice) == 0


def test_what_went_on_long_ago_is_not_dug_up_when_notes_are_read_again() -> None:
    twice = Twice()
    twice.add(COPY, 1_000 + OLD_MS + 1)
    assert len(twice) == 0


def test_it_is_bounded_and_knows_the_latest() -> None:
    twice = Twice(most=1)
    twice.add(COPY, 1_000)
    twice.add(Copy("s", "r", "n", "boot of n", 1, 1, 1_000), 1_000)
    assert told(twice, 1_000) == [COPY]
    later = Copy("s", "r", "n", "boot of n", 96_000, 4, 1_000)
    twice.add(later, 1_000)
    twice.over(COPY)  # an answer to what was asked before
    assert told(twice, 1_000) == [later]
    twice.add(Copy("other", "r", "n", "boot of n", 1, 1, 1_000), 1_000)
    assert len(twice) == 1
