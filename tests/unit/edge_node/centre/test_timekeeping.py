"""A clock that is set back makes nothing young again."""

from hypothesis import given
from hypothesis import strategies as st

from edge_node.centre.timekeeping import Anchor, ahead_s

TIMES = st.floats(0, 1e6)


@given(TIMES, st.lists(st.tuples(st.floats(0, 1e3), st.floats(-1e4, 1e4)), max_size=10))
def test_it_never_runs_slower_than_the_clock_that_nobody_sets(
    at_s: float, steps: list[tuple[float, float]]
) -> None:
    anchor, monotonic_s = Anchor(at_s, 0.0), 0.0
    for passed_s, wrong_s in steps:
        monotonic_s += passed_s
        wall_s = at_s + monotonic_s + wrong_s
        now_s = anchor.now_s(wall_s, monotonic_s)
        assert now_s >= at_s + monotonic_s
        assert now_s == max(wall_s, at_s + monotonic_s)


def test_how_far_clocks_are_apart() -> None:
    """A bundle that was signed up to 30 s ago is a fresh one."""
    assert ahead_s(1000, 1000, 30.0) == 0
    assert ahead_s(1000, 1030, 30.0) == 0
    assert ahead_s(1000, 1150, 30.0) == 120
    assert ahead_s(1000, 880, 30.0) == -120
