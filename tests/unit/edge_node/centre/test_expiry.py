"""Who may come by rules that are out of date: whom a policy lets, for as long as it says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.centre.expiry import Held, judge
from edge_node.centre.rules import open_rules
from shared.bundle import SKEW_S
from shared.errors import CentreUnreachable, RulesExpired, VoiceError
from shared.exchange import Bundle
from shared.policy import Facts, compile_policies
from shared.regions.model import World
from tests.support.fleet import WORLD
from tests.support.worlds import FACTS, worlds

UNTIL_S = 10_000 - SKEW_S
POLICIES = """\
policies:
  default: {allow: [everywhere], after_expiry_s: 3600}
  short: {allow: [everywhere], after_expiry_s: 10}
  none: {allow: [everywhere]}
rules:
  health: {when: {data: [health]}, restricted: true}
  bank: {when: {tenants: [bank], data: [general]}, after_expiry_s: 86400}
"""
RULES = open_rules(
    Bundle("b", "p", WORLD.split("policies:")[0] + POLICIES, (), ("eu-central",), 0, 10_000),
    "eu-central",
)


def comes(policy: str, late_s: float, **facts: str) -> bool:
    """Whether a session is let in so long after the rules' end."""
    held = Held(RULES, UNTIL_S + late_s)
    try:
        found = held.effective(policy, Facts(**facts), 0)  # type: ignore[arg-type]
    except RulesExpired:
        return False
    assert found.name == policy
    return True


@pytest.mark.parametrize(
    ("policy", "facts", "last_s"),
    [
        ("default", {}, 3600),
        ("short", {}, 10),
        ("none", {}, 0),
        ("default", {"data": "health"}, 0),  # whatever else says how long
        ("default", {"tenant": "bank", "data": "health"}, 0),
        ("none", {"tenant": "bank"}, 86_400),
    ],
)
def test_each_session_is_judged_by_its_own_policy(
    policy: str, facts: dict[str, str], last_s: float
) -> None:
    assert comes(policy, -1.0, **facts)
    assert comes(policy, last_s, **facts)
    assert not comes(policy, last_s + 0.001, **facts)


def test_the_error_says_since_when_and_what_to_do() -> None:
    with pytest.raises(RulesExpired, match=r"expired at 1970-01-01T02:45:40Z.*restricted") as told:
        Held(RULES, UNTIL_S + 1).effective("none", Facts(data="health"), 0)
    assert (told.value.code, told.value.retryable) == ("rules_expired", True)
    assert told.value.remedy


def test_rules_that_are_too_old_for_everybody_tell_nothing_of_keys() -> None:
    assert Held(RULES, UNTIL_S + 86_400).must() is RULES
    with pytest.raises(RulesExpired):
        Held(RULES, UNTIL_S + 86_401).must()
    with pytest.raises(CentreUnreachable):
        Held(None, 0.0).must()


def test_rules_that_are_known_to_be_superseded_let_nobody_in() -> None:
    with pytest.raises(RulesExpired, match="the clock is behind"):
        Held(RULES, 0.0, "the clock is behind").must()
    assert Held(RULES, 0.0, "the clock is behind").in_date is None


def test_what_is_left_is_told_to_both_sides_of_the_end() -> None:
    assert Held(RULES, UNTIL_S - 5).left_s == 5
    assert Held(RULES, UNTIL_S + 5).left_s == -5
    assert Held(None, 5.0).left_s == 0


@given(world=worlds(), facts=FACTS, name=st.sampled_from(["p0", "p1"]), late_s=st.integers(0, 7200))
def test_nobody_comes_late_who_is_restricted_or_whose_time_is_over(
    world: World, facts: Facts, name: str, late_s: int
) -> None:
    policies = compile_policies(world)
    rules = replace(RULES, policies=policies, longest_after_s=1e9)
    try:
        policy = policies.effective(name, facts, 0)
    except VoiceError:
        return
    held = Held(rules, UNTIL_S + late_s)
    due = late_s == 0 or (not policy.restricted and late_s <= policy.after_expiry_s)
    state = judge(rules.until_s, policy, held.now_s).state
    assert (state != "expired") == due
    try:
        held.effective(name, facts, 0)
    except RulesExpired:
        assert not due
    else:
        assert due
