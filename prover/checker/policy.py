"""Which policy a session has in effect: restrictions add up, the most precise setting counts."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prover.checker.world import Clauses, Overflow, Region, World


class Facts(NamedTuple):
    """What rules look at."""

    tenant: str
    data: str
    language: str
    countries: frozenset[str]


@dataclass(frozen=True)
class Effective:
    """Who may take a session, and what else holds for it."""

    allowed: frozenset[str]
    removed: Mapping[str, str]
    """The first clause that took each region away."""
    preferred: frozenset[str]
    overflow: frozenset[str]
    from_load: float
    max_added_rtt_ms: float | None
    max_added_cost_usd: float | None
    when_full: str
    wait_s: float
    keep: Mapping[str, tuple[frozenset[str], int]]
    """(regions, days) by what is kept."""
    restricted: bool
    after_expiry_s: int
    when_forbidden: str
    recovery_s: float | None
    ledger: str
    rules: tuple[str, ...]
    """The matching ones, in the file's order."""


NOT_IN_EFFECT = "policy_not_in_effect"
PLACE_UNKNOWN = "place_unknown"
PLACE_CONTRADICTED = "place_contradicted"


def countries_of(mode: str, claimed: str | None, address: str | None) -> frozenset[str] | str:
    """The countries that a caller counts as being in; a code where he is refused for it.

    Args:
        mode: `country_from` of the policy.
        claimed: what he says, in lower case.
        address: where his address is registered, in lower case.
    """
    if mode == "claim":
        return _known(claimed if claimed is not None else address)
    if mode == "address":
        return PLACE_UNKNOWN if address is None else frozenset({address})
    if mode == "both":
        return _known(claimed) | _known(address)
    if claimed is None or address is None:
        return PLACE_UNKNOWN
    return frozenset({claimed}) if claimed == address else PLACE_CONTRADICTED


def _known(country: str | None) -> frozenset[str]:
    return frozenset() if country is None else frozenset({country})


def matches(rule: Clauses, policy: str, facts: Facts) -> bool:
    """Whether every condition of the rule holds for the session."""
    for dimension, words in rule.when.items():
        if dimension == "tenants" and facts.tenant not in words:
            return False
        if dimension == "data" and facts.data not in words:
            return False
        if dimension == "languages" and not speaks(words, facts.language):
            return False
        if dimension == "countries" and not words & facts.countries:
            return False
        if dimension == "policies" and policy not in words:
            return False
    return True


def speaks(words: Iterable[str], language: str) -> bool:
    """Whether one of the words, all in lower case, is the language or what it begins with."""
    language = language.lower()
    return any(language == word or language.startswith(f"{word}-") for word in words)


class Book:
    """The policies of a world, looked up by session. What was worked out once is remembered."""

    def __init__(self, world: World) -> None:
        self._world = world
        every = (*world.policies.values(), *world.rules)
        moments = {clauses.from_ms for clauses in every} | {clauses.until_ms for clauses in every}
        self._turns = sorted(moment for moment in moments if moment is not None)
        self._known: dict[tuple[str, Facts, int], Effective | None] = {}
        self._combined: dict[tuple[str, ...], Effective] = {}  # by policy and rules

    def effective(self, policy: str, facts: Facts, at_ms: int) -> Effective | None:
        """The policy of a session; None where it is not in effect then."""
        key = policy, facts, bisect_right(self._turns, at_ms)  # between two turns nothing changes
        if key not in self._known:
            self._known[key] = self._derive(policy, facts, at_ms)
        return self._known[key]

    def _derive(self, name: str, facts: Facts, at_ms: int) -> Effective | None:
        world, policy = self._world, self._world.policies[name]
        if not policy.in_force(at_ms):
            return None
        rules = [r for r in world.rules if r.in_force(at_ms) and matches(r, name, facts)]
        key = name, *(rule.name for rule in rules)
        if key not in self._combined:
            self._combined[key] = combined(world, policy, rules)
        return self._combined[key]


def combined(world: World, policy: Clauses, rules: list[Clauses]) -> Effective:
    """A policy under some rules."""
    clauses = [policy, *rules]
    removed: dict[str, str] = {}
    for region in world.regions.values():
        taken = next(filter(None, (_against(world, each, region) for each in clauses)), None)
        if taken is not None:
            removed[region.name] = taken
    allowed = frozenset(world.regions) - frozenset(removed)
    overflow = _setting(policy, rules, "overflow") or Overflow()
    assert isinstance(overflow, Overflow)
    prefer = _setting(policy, rules, "prefer") or ()
    wait_s = _setting(policy, rules, "wait_s")
    restricted = any(each.restricted for each in clauses)
    after_s = _setting(policy, rules, "after_expiry_s") or 0
    assert isinstance(after_s, int)
    return Effective(
        allowed=allowed,
        removed=removed,
        preferred=allowed & world.regions_in(prefer),  # type: ignore[arg-type]
        overflow=allowed & world.regions_in(overflow.zones),
        from_load=overflow.from_load,
        max_added_rtt_ms=overflow.max_added_rtt_ms,
        max_added_cost_usd=overflow.max_added_cost_usd,
        when_full=str(_setting(policy, rules, "when_full") or "refuse"),
        wait_s=10.0 if wait_s is None else wait_s,  # type: ignore[arg-type]
        keep=_kept(world, policy, rules, allowed),
        restricted=restricted,
        after_expiry_s=0 if restricted else after_s,
        when_forbidden=str(_setting(policy, rules, "when_forbidden") or "end"),
        recovery_s=_setting(policy, rules, "recovery_s"),  # type: ignore[arg-type]
        ledger="required" if any(c.ledger == "required" for c in clauses) else "wanted",
        rules=tuple(rule.name for rule in rules),
    )


def _against(world: World, clauses: Clauses, region: Region) -> str | None:
    """The first clause of a policy or rule that takes the region away."""
    if clauses.allow is not None and region.jurisdiction not in world.law(clauses.allow):
        return f"{clauses.name}.allow"
    if region.jurisdiction in world.law(clauses.forbid):
        return f"{clauses.name}.forbid"
    for certification in sorted(clauses.require):
        if certification not in region.certifications:
            return f"{clauses.name}.require.{certification}"
    return None


def _setting(policy: Clauses, rules: list[Clauses], what: str) -> object:
    """Of the most precise rule that sets it, else of the policy; None where nobody does."""
    setting = [rule for rule in rules if what in rule.set]
    if setting:
        return max(setting, key=lambda rule: rule.precedence).set[what]
    return policy.set.get(what)


def _kept(
    world: World, policy: Clauses, rules: list[Clauses], allowed: frozenset[str]
) -> dict[str, tuple[frozenset[str], int]]:
    kept = {}
    for what in sorted({what for each in (policy, *rules) for what in each.keep}):
        setting = [rule for rule in rules if what in rule.keep]
        source = max(setting, key=lambda rule: rule.precedence) if setting else policy
        zones, days = source.keep[what]
        kept[what] = allowed & world.regions_in(zones), days
    return kept
