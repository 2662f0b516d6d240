"""All policies of a world, and what each comes to for a session at a moment."""

from collections.abc import Mapping
from functools import lru_cache, partial
from types import MappingProxyType

from shared.errors import PolicyNotInEffect, Unsupported
from shared.policy.callers import caller_countries
from shared.policy.combining import Combiner
from shared.policy.matching import Matcher
from shared.policy.model import CompiledPolicy, Facts
from shared.policy.moments import moment
from shared.regions.model import Period, World

REMEMBERED = 1024
"""Combinations of a policy and rules: some 4 KB each at 50 regions."""


class Policies:
    """The policies of a world, compiled; rules are worked in when a session comes.

    What a policy and a set of rules come to is worked out once and remembered. It does not depend
    on the moment: dates only decide which rules are in the set.
    """

    def __init__(self, world: World) -> None:
        self.version = world.version
        self.default = world.default_policy
        """The name of the policy for those who ask for none."""
        self._written = world.policies
        self._matcher = Matcher(tuple(world.rules.values()))
        self._combined = lru_cache(REMEMBERED)(partial(_combine, Combiner(world), self._matcher))
        alone = {name: self._combined(name, 0) for name in world.policies}
        self.by_name: Mapping[str, CompiledPolicy] = MappingProxyType(alone)
        """Each by itself, without rules."""

    def of(self, name: str) -> CompiledPolicy:
        """The policy of this name, by itself. Raises Unsupported."""
        policy = self.by_name.get(name)
        if policy is None:
            raise Unsupported(
                "there is no such policy",
                field="policy",
                value=name,
                remedy=f"use one of {', '.join(sorted(self.by_name))}",
            )
        return policy

    def countries(self, name: str, claimed: str | None, by_address: str | None) -> frozenset[str]:
        """The countries that a caller counts as being in under a policy.

        Raises Unsupported, PlaceUnknown, PlaceContradicted; see `caller_countries`.
        """
        _ = self.of(name)
        return caller_countries(self._written[name].country_from, claimed, by_address)

    def turn(self, at_ms: int) -> int:
        """Changes with every moment at which rules begin or end; milliseconds since 1970."""
        return self._matcher.calendar.turn(at_ms)

    def effective(self, name: str, facts: Facts, at_ms: int) -> CompiledPolicy:
        """What holds for a session: the policy with all rules that are about it and in force.

        Args:
            name: of the policy.
            facts: what rules look at.
            at_ms: when, in milliseconds since 1970.

        Raises:
            Unsupported: there is no such policy.
            PolicyNotInEffect: not yet, or not any more.
        """
        written = self._written.get(name)
        if written is None:
            return self.of(name)
        if not written.period.holds(at_ms):
            raise not_in_effect(name, written.period, at_ms)
        return self._combined(name, self._matcher.met(name, facts, at_ms))


def compile_policies(world: World) -> Policies:
    """Every policy of the world, worked out into regions."""
    return Policies(world)


def not_in_effect(name: str, period: Period, at_ms: int) -> PolicyNotInEffect:
    """The error for a policy outside of its period."""
    early = period.from_ms is not None and at_ms < period.from_ms
    since = (
        f"begins at {moment(period.from_ms)}" if early else f"ended at {moment(period.until_ms)}"
    )
    return PolicyNotInEffect(
        f"policy {name} {since}",
        field="policy",
        value=name,
        remedy="use a policy that is in effect now",
    )


def _combine(combiner: Combiner, matcher: Matcher, name: str, met: int) -> CompiledPolicy:
    return combiner.combine(name, matcher.named(met))
