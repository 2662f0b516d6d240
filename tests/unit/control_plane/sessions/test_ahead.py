"""Seats held for sessions on their way: each is taken, given back, or its time is up."""

from control_plane.sessions.ahead import Ahead, Going
from tests.unit.control_plane.sessions.test_following import said

GOING = Going("s", "r", "m", "res-1", "d-1", "resumed", "n", 1, 30_000)


def test_who_comes_has_it() -> None:
    ahead = Ahead()
    assert ahead.add(GOING) is None
    assert ahead.of("s", 29_999) == GOING
    assert ahead.noted(said("resumed", 2, 5_000, "m")) is None
    assert ahead.of("s", 6_000) is None


def test_what_its_old_node_says_meanwhile_changes_nothing() -> None:
    ahead = Ahead()
    ahead.add(GOING)
    for event in ("usage", "paused", "resumed", "started"):
        assert ahead.noted(said(event, 1, 5_000)) is None
    assert ahead.of("s", 6_000) == GOING


def test_who_ends_or_goes_on_elsewhere_will_not_come() -> None:
    for note in (
        said("ended", 1, 5_000),
        said("resumed", 2, 5_000),
        said("resumed", 2, 5_000, "k"),
    ):
        ahead = Ahead()
        ahead.add(GOING)
        assert ahead.noted(note) == GOING
        assert len(ahead) == 0


def test_a_second_seat_takes_the_place_of_the_first() -> None:
    ahead = Ahead()
    ahead.add(GOING)
    assert ahead.add(Going("s", "r", "k", "res-2", "d-2", "resumed", "n", 1, 40_000)) == GOING
    assert ahead.drop("s") is not None
    assert ahead.drop("s") is None


def test_it_is_bounded_in_time_and_number() -> None:
    ahead = Ahead(most=1)
    ahead.add(GOING)
    ahead.add(Going("other", "r", "k", "res-2", "d-2", "resumed", "n", 1, 40_000))
    assert (len(ahead), ahead.of("s", 0)) == (1, None)
    ahead.looked_at(40_000)
    assert len(ahead) == 0
