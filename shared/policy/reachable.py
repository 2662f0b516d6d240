"""Which policies and rules can meet in one session, and which of them leave it no region.

Nobody enumerates sessions: whatever a tenant, a language, a country may be, it meets one of a few
sets of rules. The products of those sets are all that can happen, at any time.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import combinations, product
from operator import or_
from typing import NamedTuple

from shared.policy.clauses import taken
from shared.policy.matching import Condition, Matcher, bits, prefixes
from shared.regions.model import Policy, Rule, World

MOST = 100_000
"""Combinations that are looked at, a second's work."""
_MOST_TRIED = 20 * MOST
"""Of which many come to the same."""
ONE_COUNTRY = frozenset({"claim", "address", "agree"})
"""Values of `country_from` by which no caller is in two countries."""


class Empty(NamedTuple):
    """Rules that together with a policy leave no region."""

    policy: str
    rules: tuple[str, ...]
    """No fewer of them do. None where the policy by itself leaves none."""


class TooManyCombinations(ValueError):
    """More than anybody can look at."""


def combinations_met(world: World, policy: Policy, most: int = MOST) -> frozenset[int]:
    """The sets of rules, as bits in the world's order, that sessions under a policy can meet.

    Raises TooManyCombinations.
    """
    return _met(Matcher(tuple(world.rules.values())), policy, -1, most)


def empty_combinations(world: World, most: int = MOST) -> list[Empty]:
    """Everything that leaves a session no region, and that no rule says is meant.

    Policies that allow the same and meet the same rules are looked at once; the first of them is
    named.

    Raises TooManyCombinations.
    """
    matcher = Matcher(tuple(world.rules.values()))
    regions = {name: 1 << bit for bit, name in enumerate(world.regions)}
    left = [_left(rule, world, regions) for rule in matcher.rules]
    every = sum(regions.values())
    matters = sum(
        1 << bit for bit, rule in enumerate(matcher.rules) if rule.may_refuse or left[bit] != every
    )
    found: dict[tuple[int, frozenset[int]], list[Empty]] = {}
    for policy in world.policies.values():
        allowed = _left(policy, world, regions)
        met = _met(matcher, policy, matters, most)
        if (allowed, met) not in found:
            most -= len(met)
            found[allowed, met] = list(_empty(policy.name, allowed, left, matcher.rules, met))
    return [one for each in found.values() for one in each]


def _left(by: Policy | Rule, world: World, regions: dict[str, int]) -> int:
    gone = taken(by, world)
    return sum(bit for name, bit in regions.items() if name not in gone)


def _met(matcher: Matcher, policy: Policy, matters: int, most: int) -> frozenset[int]:
    of_policy = matcher.policies.of(policy.name) & matters
    met = {of_policy & in_force for in_force in _at_any_time(matcher, policy)}
    in_two = policy.country_from not in ONE_COUNTRY
    for choices, several in (
        (_one(matcher.tenants), False),
        (_one(matcher.data), False),
        (_tongue(matcher.languages), False),
        (_one(matcher.countries), in_two),
    ):
        in_play = reduce(or_, met, 0)
        masks = {choice & in_play for choice in choices}
        if several:
            masks |= {a | b for a, b in combinations(masks, 2)}
        if len(met) * len(masks) > _MOST_TRIED:
            raise TooManyCombinations(most)
        met = {one & mask for one, mask in product(met, masks)}
        if len(met) > most:
            raise TooManyCombinations(most)
    return frozenset(met)


def _at_any_time(matcher: Matcher, policy: Policy) -> Iterator[int]:
    """The rules in force at each time at which the policy is in effect."""
    changes: list[float] = [float("-inf"), *matcher.calendar.changes_ms, float("inf")]
    begins, ends = policy.period.from_ms, policy.period.until_ms
    for at, in_force in enumerate(matcher.calendar.in_force):
        first = changes[at] if begins is None else max(changes[at], begins)
        last = changes[at + 1] if ends is None else min(changes[at + 1], ends)
        if first < last:
            yield in_force


def _one(condition: Condition) -> set[int]:
    """What a session can meet by one word: one that rules name, or another."""
    return {condition.of(word) for word in condition.of_word} | {condition.of_all}


def _tongue(languages: Condition) -> set[int]:
    """Likewise, by a language, which rules may call by several words."""
    return {languages.of_any(prefixes(word)) for word in languages.of_word} | {languages.of_all}


def _empty(
    policy: str, allowed: int, left: Sequence[int], rules: Sequence[Rule], met: frozenset[int]
) -> Iterator[Empty]:
    told: set[int] = set()
    meant = sum(1 << bit for bit, rule in enumerate(rules) if rule.may_refuse)
    for mask in sorted(met):
        if mask & meant or _left_by(mask, allowed, left):
            continue
        least = _least(mask, allowed, left)
        if least not in told:
            told.add(least)
            yield Empty(policy, tuple(rules[bit].name for bit in bits(least)))


def _left_by(mask: int, allowed: int, left: Sequence[int]) -> int:
    for bit in bits(mask):
        allowed &= left[bit]
    return allowed


def _least(mask: int, allowed: int, left: Sequence[int]) -> int:
    """The rules without which there would be a region."""
    for bit in bits(mask):
        if not _left_by(mask & ~(1 << bit), allowed, left):
            mask &= ~(1 << bit)
    return mask
