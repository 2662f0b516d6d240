"""Who has missed the news hears it again, soon, and not all the time."""

from control_plane.bundles.behind import AFTER_S, EVERY_S, Behind


def told(*seconds: tuple[list[str | None], str]) -> list[int]:
    """The seconds in which nodes are told again."""
    behind = Behind()
    return [at for at, (shown, now) in enumerate(seconds) if behind.due(shown, now, float(at))]


def test_who_stays_behind_is_told_and_told_again() -> None:
    times = told(*[(["2", "1"], "2")] * 30)
    assert times == [3, 13, 23]
    assert (times[0], times[1] - times[0]) == (AFTER_S, EVERY_S)


def test_who_is_quick_or_has_none_is_not() -> None:
    assert told(*[(["1"], "2")] * 2, *[(["2", None], "2")] * 20) == []


def test_a_control_plane_that_lags_calls_nobody_back() -> None:
    """The nodes have gone on to a bundle that it makes two seconds later."""
    assert told((["1"], "1"), *[(["2"], "1")] * 2, *[(["2"], "2")] * 20) == []


def test_each_change_has_its_own_time() -> None:
    assert told(*[(["1"], "2")] * 3, *[(["1"], "3")] * 4) == [6]
