"""Whether a file may be used at all: no session may meet rules that contradict each other.

Says what must be refused among files whose words are all known and whose dates are in order.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations

from prover.checker.policy import combined, speaks
from prover.checker.world import Clauses, World


def faults(world: World) -> Iterator[str]:
    """Why the file must be refused: `nobody POLICY RULES`, `overlap RULES WHAT`."""
    for policy in world.policies.values():
        if not combined(world, policy, []).allowed:
            yield f"nobody {policy.name}"
    seen: set[str] = set()
    for policy, rules in meetings(world):
        for fault in _of_meeting(world, policy, rules):
            if fault not in seen:
                seen.add(fault)
                yield fault


def _of_meeting(world: World, policy: Clauses, rules: list[Clauses]) -> Iterator[str]:
    meant = not rules or any(rule.may_refuse for rule in rules)
    if not meant and not combined(world, policy, rules).allowed:
        yield f"nobody {policy.name} {' '.join(rule.name for rule in rules)}"
    for one, other in combinations(rules, 2):
        if one.precedence == other.precedence:
            for what in _set_differently(one, other):
                yield f"overlap {one.name} {other.name} {what}"


def _set_differently(one: Clauses, other: Clauses) -> Iterator[str]:
    for what in one.set.keys() & other.set.keys():
        if one.set[what] != other.set[what]:
            yield what
    for what in one.keep.keys() & other.keep.keys():
        if one.keep[what] != other.keep[what]:
            yield f"keep.{what}"


def meetings(world: World) -> Iterator[tuple[Clauses, list[Clauses]]]:
    """Every policy with every set of rules that some session could meet at some moment."""
    words = [_masks(world, dimension) for dimension in ("tenants", "data", "languages")]
    single = _masks(world, "countries")
    pairs = {a | b for a in single for b in single}
    for policy in world.policies.values():
        reachable = _time_masks(world, policy)
        # only where claim and address both count, a caller is in two countries
        for masks in (*words, pairs if policy.country_from == "both" else single):
            reachable = {a & b for a in reachable for b in masks}
        mine = _mask(world, partial(_holds, dimension="policies", word=policy.name))
        for mask in sorted({mask & mine for mask in reachable}):
            yield policy, [rule for at, rule in enumerate(world.rules) if mask >> at & 1]


def _mask(world: World, holds: Callable[[Clauses], bool]) -> int:
    return sum(1 << at for at, rule in enumerate(world.rules) if holds(rule))


def _holds(rule: Clauses, dimension: str, word: str | None) -> bool:
    words = rule.when.get(dimension)
    if words is None:
        return True
    if word is None:
        return False
    return speaks(words, word) if dimension == "languages" else word in words


def _masks(world: World, dimension: str) -> set[int]:
    """By word that some rule names, and for one that none does."""
    words = {None, *(w for rule in world.rules for w in rule.when.get(dimension, ()))}
    return {_mask(world, partial(_holds, dimension=dimension, word=word)) for word in words}


def _time_masks(world: World, policy: Clauses) -> set[int]:
    """Of the moments at which the policy is in effect."""
    every = (policy, *world.rules)
    turns = {each.from_ms for each in every} | {each.until_ms for each in every}
    moments = sorted(turn for turn in turns if turn is not None)
    first = moments[0] - 1 if moments else 0
    return {
        _mask(world, partial(Clauses.in_force, at_ms=at))
        for at in (first, *moments)
        if policy.in_force(at)
    }
