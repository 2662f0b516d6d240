"""A policy and the rules that hold beside it, as one.

Restrictions add up; of what rules set, the most precise rule's counts.
What is allowed only ever gets less: it begins with all regions, and each clause takes some away.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar, get_args

from shared.policy.clauses import regions_in, taken
from shared.policy.model import CompiledPolicy, KeptIn
from shared.policy.precedence import precedence
from shared.regions.model import Keep, Kept, LedgerNeed, Policy, Rule, World

T = TypeVar("T")
_NEEDS = get_args(LedgerNeed)
"""The stricter, the later."""


class Combiner:
    """Combines the policies and rules of one world.

    What each takes away is worked out once; what they come to together is left to the caller to
    remember.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._regions = frozenset(world.regions)
        self._by_policy = {name: taken(one, world) for name, one in world.policies.items()}
        self._by_rule = {name: taken(one, world) for name, one in world.rules.items()}

    def combine(self, name: str, rules: Sequence[Rule]) -> CompiledPolicy:
        """What holds for sessions under a policy.

        Args:
            name: of the policy.
            rules: those that match, in the world's order.
        """
        policy = self._world.policies[name]
        removed = self._removed(policy, rules)
        allowed = self._regions.difference(removed)
        precise = sorted(rules, key=precedence, reverse=True)
        overflow = _first([rule.overflow for rule in precise], policy.overflow)
        prefer = _first([rule.prefer for rule in precise], policy.prefer)
        restricted = policy.restricted or any(rule.restricted for rule in rules)
        after_s = _first([rule.after_expiry_s for rule in precise], policy.after_expiry_s)
        forbidden = _first([rule.when_forbidden for rule in precise], policy.when_forbidden)
        return CompiledPolicy(
            name=policy.name,
            version=self._world.version,
            allowed=allowed,
            overflow=allowed & regions_in(overflow.zones, self._world),
            max_added_rtt_ms=overflow.max_added_rtt_ms,
            when_full=_first([rule.when_full for rule in precise], policy.when_full),
            wait_s=_first([rule.wait_s for rule in precise], policy.wait_s),
            preferred=allowed & regions_in(prefer, self._world),
            from_load=overflow.from_load,
            max_added_cost_usd=overflow.max_added_cost_usd,
            rules=tuple(rule.name for rule in rules),
            removed=tuple(sorted(removed.items())),
            keep=self._kept(policy, precise, allowed),
            restricted=restricted,
            after_expiry_s=0 if restricted else after_s,
            when_forbidden=forbidden,
            recovery_s=_first([rule.recovery_s for rule in precise], policy.recovery_s),
            ledger=max((policy.ledger, *(rule.ledger for rule in rules)), key=_NEEDS.index),
        )

    def _removed(self, policy: Policy, rules: Sequence[Rule]) -> Mapping[str, str]:
        """Every region that is taken away, and the first clause that does."""
        removed = dict(self._by_policy[policy.name])
        for rule in rules:
            for region, clause in self._by_rule[rule.name].items():
                removed.setdefault(region, clause)
        return removed

    def _kept(
        self, policy: Policy, precise: Sequence[Rule], allowed: frozenset[str]
    ) -> tuple[KeptIn, ...]:
        keep: dict[Kept, Keep] = dict(policy.keep)
        for rule in reversed(precise):
            keep.update(rule.keep)
        return tuple(
            KeptIn(what, allowed & regions_in(one.zones, self._world), one.days)
            for what, one in sorted(keep.items())
        )


def _first(settings: Sequence[T | None], default: T) -> T:
    """The first that is set."""
    return next((one for one in settings if one is not None), default)
