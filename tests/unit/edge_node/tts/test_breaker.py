"""The breaker: opens after failures in a row, rests, tries once, closes or rests again."""

from hypothesis import given
from hypothesis import strategies as st

from edge_node.tts.breaker import Breaker, BreakerRules, State

RULES = BreakerRules(failures=3, rest_s=30.0, trial_s=10.0)


def opened(at_s: float = 100.0) -> Breaker:
    breaker = Breaker(RULES)
    for _ in range(3):
        breaker = breaker.failed(at_s)
    return breaker


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    twice = Breaker(RULES).failed(1).failed(2)
    assert twice.state is State.CLOSED
    assert twice.succeeded().failed(3).failed(4).state is State.CLOSED
    assert twice.failed(3).state is State.OPEN


def test_it_rests_and_then_admits_one_trial() -> None:
    breaker = opened(at_s=100.0)
    assert not breaker.admits(129.9)
    assert breaker.admits(130.0)
    trial = breaker.began(130.0)
    assert trial.state is State.HALF_OPEN
    assert not trial.admits(131.0)


def test_a_trial_closes_it_or_opens_it_again() -> None:
    trial = opened().began(130.0)
    assert trial.succeeded() == Breaker(RULES)
    again = trial.failed(131.0)
    assert again.state is State.OPEN
    assert not again.admits(160.0)
    assert again.admits(161.0)


def test_a_trial_that_nobody_ended_does_not_hold_for_ever() -> None:
    assert opened().began(130.0).admits(140.0)


def test_late_news_from_before_it_opened_changes_nothing() -> None:
    assert opened().succeeded() == opened()
    assert opened().failed(120.0) == opened()


@given(st.lists(st.sampled_from(["began", "succeeded", "failed"]), max_size=40))
def test_it_always_admits_again(events: list[str]) -> None:
    breaker, now_s = Breaker(RULES), 0.0
    for event in events:
        now_s += 1.0
        match event:
            case "began" if breaker.admits(now_s):
                breaker = breaker.began(now_s)
            case "succeeded":
                breaker = breaker.succeeded()
            case "failed":
                breaker = breaker.failed(now_s)
    assert breaker.admits(now_s + RULES.rest_s)
