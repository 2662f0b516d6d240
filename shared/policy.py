"""Residency: which regions may take a session. The same functions decide at node and centre.

The allowed set is computed first, from the policy and the world alone. It is a frozen set, and all
that comes later (home, overflow, limits of delay) only chooses within it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from heliovox.protocol.messages import Place
from shared.errors import Unsupported
from shared.geography import rtt_ms
from shared.regions.model import EVERYWHERE, GENERAL, Policy, WhenFull, World


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy with zones and jurisdictions worked out into regions.

    Raises ValueError where overflow would leave the allowed set.
    """

    name: str
    version: str
    """Of the world that it was compiled from."""
    allowed: frozenset[str]
    """The regions that may take a session."""
    overflow: frozenset[str]
    """Those that may take one whose home is elsewhere."""
    max_added_rtt_ms: float | None
    """Of overflow, over the home region's round trip; None for any."""
    when_full: WhenFull
    wait_s: float
    preferred: frozenset[str] = frozenset()
    """Subset of allowed: the home region is one of these, where one is in service."""
    from_load: float = 1.0
    """Share of the home region's seats from which on overflow begins, though some are left."""
    max_added_cost_usd: float | None = None
    """Of overflow, over the hourly cost of the home region; None for any."""
    rules: tuple[str, ...] = ()
    """Names of the rules that made it what it is, beside the policy itself."""
    removed: tuple[tuple[str, str], ...] = ()
    """Regions that are not allowed, by name, and the clause that took each away: `eu-only.allow`,
    `health.require.hipaa`."""

    def __post_init__(self) -> None:
        if outside := (self.overflow | self.preferred) - self.allowed:
            raise ValueError(f"{self.name}: overflow to {sorted(outside)} is not allowed")


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at: everything about a session that decides where it may be."""

    tenant: str = ""
    data: str = GENERAL
    """What kind of data it carries: `health`, ..."""
    language: str = ""
    countries: frozenset[str] = frozenset()
    """That the caller counts as being in: ISO 3166 codes in lower case."""


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies of a world, compiled."""

    version: str
    default: str
    """The name of the policy for those who ask for none."""
    by_name: Mapping[str, CompiledPolicy]

    def of(self, name: str) -> CompiledPolicy:
        """The policy of this name. Raises Unsupported."""
        policy = self.by_name.get(name)
        if policy is None:
            raise Unsupported(
                "there is no such policy",
                field="policy",
                value=name,
                remedy=f"use one of {', '.join(sorted(self.by_name))}",
            )
        return policy


def compile_policies(world: World) -> Policies:
    """Every policy of the world, worked out into regions."""
    compiled = {name: _compile(policy, world) for name, policy in world.policies.items()}
    return Policies(world.version, world.default_policy, MappingProxyType(compiled))


def _compile(policy: Policy, world: World) -> CompiledPolicy:
    allowed = regions_in(policy.allow, world)
    return CompiledPolicy(
        name=policy.name,
        version=world.version,
        allowed=allowed,
        overflow=allowed & regions_in(policy.overflow.zones, world),
        max_added_rtt_ms=policy.overflow.max_added_rtt_ms,
        when_full=policy.when_full,
        wait_s=policy.wait_s,
    )


def regions_in(zones: Iterable[str], world: World) -> frozenset[str]:
    """The regions whose jurisdiction lies in one of the zones; an unknown zone holds none."""
    named = frozenset(zones)
    if EVERYWHERE in named:
        return frozenset(world.regions)
    law = frozenset().union(*(world.zones.get(zone, frozenset()) for zone in named))
    return frozenset(name for name, region in world.regions.items() if region.jurisdiction in law)


def home_region(
    policy: CompiledPolicy, place: Place, world: World, in_service: Collection[str]
) -> str | None:
    """The nearest allowed region in service; of equally near ones the smaller name.

    Args:
        policy: says which regions may be.
        place: where the caller is.
        world: says where the regions are.
        in_service: the regions in which nodes stand; names that the world lacks are passed over.

    Returns:
        None where no allowed region is in service.
    """
    able = policy.allowed.intersection(in_service).intersection(world.regions)
    return min(
        able, key=lambda name: (rtt_ms(place, world.regions[name].place), name), default=None
    )


def in_reach(policy: CompiledPolicy, home: str, region: str, added_rtt_ms: float) -> bool:
    """Whether a session at home in one region may be in another (or the same) one.

    Args:
        policy: its allowed set comes first.
        home: the caller's home region.
        region: where the session would be.
        added_rtt_ms: the round trip to there, over the one to the home region.
    """
    if region not in policy.allowed:
        return False
    if region == home:
        return True
    limit_ms = policy.max_added_rtt_ms
    return region in policy.overflow and (limit_ms is None or added_rtt_ms <= limit_ms)
