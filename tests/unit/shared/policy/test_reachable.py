"""Rules that leave nobody a region, and rules that contradict each other: against trying it out."""

from itertools import combinations

import pytest
from hypothesis import given

from heliovox.protocol.messages import Place
from shared.policy import compile_policies
from shared.policy.precedence import precedence
from shared.policy.reachable import (
    Empty,
    TooManyCombinations,
    combinations_met,
    empty_combinations,
)
from shared.policy.ties import can_meet, ties
from shared.regions import EVERYWHERE, Policy, Region, World
from shared.regions.model import CountryFrom, Rule, When
from tests.support.worlds import sessions, worlds


def tried_out(world: World) -> dict[str, set[tuple[str, ...]]]:
    """The rules that meet, by policy, when every session there can be is tried."""
    policies = compile_policies(world)
    met: dict[str, set[tuple[str, ...]]] = {name: set() for name in world.policies}
    for session in sessions(world):
        met[session.policy].add(policies.effective(*session).rules)
    return met


@given(worlds(most_rules=3))
def test_what_can_meet_is_what_meets_when_everything_is_tried(world: World) -> None:
    names = list(world.rules)
    for policy, met in tried_out(world).items():
        found = combinations_met(world, world.policies[policy])
        assert {
            tuple(name for bit, name in enumerate(names) if mask >> bit & 1) for mask in found
        } == met


@given(worlds(most_rules=3))
def test_a_session_without_a_region_is_foreseen_or_meant(world: World) -> None:
    """Each way round: what happens is foreseen, and what is foreseen happens."""
    policies = compile_policies(world)
    happens = set()
    for session in sessions(world):
        found = policies.effective(*session)
        if not found.allowed and not any(world.rules[name].may_refuse for name in found.rules):
            happens.add((found.name, found.rules))
    foreseen = empty_combinations(world)
    assert bool(foreseen) == bool(happens)
    for policy, met in happens:
        assert any(set(one.rules) <= set(met) for one in foreseen), (policy, met)
    for one in foreseen:
        assert any(set(one.rules) <= set(met) for policy, met in happens if policy == one.policy)


@given(worlds(most_rules=3))
def test_two_rules_can_meet_where_a_session_meets_both(world: World) -> None:
    together = {
        pair for met in tried_out(world).values() for each in met for pair in combinations(each, 2)
    }
    for one, other in combinations(world.rules.values(), 2):
        assert can_meet(one, other, world) == ((one.name, other.name) in together)


@given(worlds(most_rules=3))
def test_without_ties_the_order_of_rules_means_nothing(world: World) -> None:
    """And a tie is always between rules of equal precedence."""
    found = list(ties(world))
    for tie in found:
        assert precedence(world.rules[tie.first]) == precedence(world.rules[tie.second])
    if found:
        return
    turned = World(
        "v", world.regions, world.zones, world.policies, "p0",
        dict(reversed(world.rules.items())),
    )  # fmt: skip
    here, there = compile_policies(world), compile_policies(turned)
    for number, session in enumerate(sessions(world)):
        if number % 17 == 0:  # a sample: there are thousands
            a, b = here.effective(*session), there.effective(*session)
            assert (a.allowed, a.overflow, a.preferred, a.when_full, a.wait_s, a.keep) == (
                b.allowed, b.overflow, b.preferred, b.when_full, b.wait_s, b.keep,
            )  # fmt: skip


REGIONS = {name: Region(name, Place(0, 0), "UTC", name) for name in ("de", "us")}
LAW = {"eu": frozenset({"de"}), "usa": frozenset({"us"}), EVERYWHERE: frozenset({"de", "us"})}


def world(*rules: Rule, policies: int = 1) -> World:
    named = {f"p{number}": Policy(f"p{number}", (EVERYWHERE,)) for number in range(policies)}
    return World("v", REGIONS, LAW, named, "p0", {rule.name: rule for rule in rules})


def test_the_fewest_rules_are_named() -> None:
    rules = (
        Rule("a", allow=("eu",)),
        Rule("b", When(data=frozenset({"d"})), require=frozenset()),
        Rule("c", When(tenants=frozenset({"t"})), forbid=("eu",)),
    )
    assert empty_combinations(world(*rules)) == [Empty("p0", ("a", "c"))]


def test_a_caller_in_two_countries_meets_the_rules_for_both() -> None:
    rules = {
        "de": Rule("de", When(countries=frozenset({"de"})), forbid=("usa",)),
        "us": Rule("us", When(countries=frozenset({"us"})), forbid=("eu",)),
    }
    modes: tuple[CountryFrom, ...] = ("both", "claim", "address", "agree")
    for mode in modes:
        policies = {"p": Policy("p", (EVERYWHERE,), country_from=mode)}
        found = empty_combinations(World("v", REGIONS, LAW, policies, "p", rules))
        assert found == ([Empty("p", ("de", "us"))] if mode == "both" else [])


def test_what_is_meant_is_no_mistake() -> None:
    closed = Rule("c", When(countries=frozenset({"ir"})), forbid=(EVERYWHERE,), may_refuse=True)
    assert empty_combinations(world(closed)) == []


def test_policies_that_allow_the_same_are_looked_at_once() -> None:
    rule = Rule("r", forbid=(EVERYWHERE,))
    assert empty_combinations(world(rule, policies=200)) == [Empty("p0", ("r",))]


def test_more_than_anybody_can_look_at_is_refused() -> None:
    def rules(tenants: int, data: int, languages: int) -> list[Rule]:
        said = {
            "tenants": [f"t{n}" for n in range(tenants)],
            "data": [f"d{n}" for n in range(data)],
            "languages": [f"a{chr(97 + n)}" for n in range(languages)],
        }
        return [
            Rule(f"{key}-{word}", When(**{key: frozenset({word})}), forbid=("usa",))
            for key, words in said.items()
            for word in words
        ]

    assert empty_combinations(world(*rules(9, 9, 9)), most=1000) == []  # ten of each: one is none
    for more in ((10, 9, 9), (9, 10, 9), (9, 9, 10)):
        with pytest.raises(TooManyCombinations):
            empty_combinations(world(*rules(*more)), most=1000)
    with pytest.raises(TooManyCombinations):
        empty_combinations(world(*rules(9, 9, 9), policies=1), most=999)
