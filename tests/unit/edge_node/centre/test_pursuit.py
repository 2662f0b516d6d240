from hypothesis import given
from hypothesis import strategies as st

from edge_node.centre.pursuit import HURRY_S, PERIOD_S, TRIES, Pursuit

DAY_S = 86_400.0


def test_what_was_announced_is_asked_for_until_it_is_there() -> None:
    pursuit = Pursuit()
    assert pursuit.heard("2", held="1")
    pursuit.unanswered()
    assert pursuit.pause_s(DAY_S) == HURRY_S
    pursuit.answered("1")  # by a control plane that has not seen the change
    assert pursuit.pause_s(DAY_S) == HURRY_S
    pursuit.answered("2")
    assert pursuit.pause_s(DAY_S) == PERIOD_S


def test_what_the_node_has_is_not_asked_for_again() -> None:
    pursuit = Pursuit()
    assert not pursuit.heard("1", held="1")
    assert pursuit.pause_s(DAY_S) == PERIOD_S


def test_a_change_that_was_taken_back_is_not_waited_for() -> None:
    pursuit = Pursuit()
    pursuit.heard("2", held="1")
    assert not pursuit.heard("1", held="1")
    assert pursuit.pause_s(DAY_S) == PERIOD_S


@given(st.floats(-1e6, 1e6))
def test_rules_are_renewed_well_before_they_run_out(valid_s: float) -> None:
    pause_s = Pursuit().pause_s(valid_s)
    assert HURRY_S <= pause_s <= PERIOD_S
    assert pause_s <= max(HURRY_S, valid_s / 2)


@given(st.sampled_from(["2", None]), st.integers(0, 30))
def test_a_bundle_that_nobody_hands_out_is_given_up(announced: str | None, silent: int) -> None:
    pursuit = Pursuit()
    pursuit.heard(announced, held="1")
    for _ in range(silent):  # silence does not count: whoever knows may be away
        pursuit.unanswered()
    asked = 0
    while asked == 0 or pursuit.pause_s(DAY_S) == HURRY_S:
        pursuit.answered("1")
        asked += 1
    assert asked == (1 if announced is None else TRIES)
