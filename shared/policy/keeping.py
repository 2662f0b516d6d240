"""Where something of a session is kept: at home, and once more where losing home loses nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.geography import rtt_ms
from shared.policy.clauses import regions_in
from shared.policy.model import CompiledPolicy
from shared.policy.policies import Policies
from shared.regions.model import Kept, World

STORED: tuple[Kept, ...] = ("transcripts", "recovery", "synthesis")
"""What nodes put into stores; audio stays where it is heard."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where one kind of content of a session is kept, and for how long."""

    home: str
    mirror: str | None
    """None where the policy, or the fleet, has no second place."""
    days: int
    """0: not beyond the session."""

    @property
    def places(self) -> tuple[str, ...]:
        """One or two."""
        return (self.home,) if self.mirror is None else (self.home, self.mirror)


def keeping(
    policy: CompiledPolicy, what: Kept, home: str, world: World, stores: Collection[str]
) -> Keeping | None:
    """Where the content is kept; never outside what the policy keeps it in, and that is allowed.

    Args:
        policy: as it holds for the session.
        what: the kind of content.
        home: the session's home region.
        world: says where regions are.
        stores: regions that have a store; names that the world lacks are passed over.

    Returns:
        None where the policy does not keep it, or no store lies where it may be.
    """
    kept = next((one for one in policy.keep if one.what == what), None)
    if kept is None or home not in world.regions:
        return None
    may = kept.regions.intersection(stores).intersection(world.regions)
    near = sorted(may, key=lambda region: (region != home, _away_ms(home, region, world), region))
    if not near:
        return None
    return Keeping(near[0], near[1] if len(near) > 1 else None, kept.days)


def reachable_stores(
    world: World, policies: Policies, whats: Collection[Kept] = STORED
) -> Mapping[str, frozenset[str]]:
    """By region, the others in which content of sessions that are served there can be kept.

    It is what the servers of those regions have to let its nodes do, whatever rules come to hold:
    they keep in what their zones hold of what a policy allows.

    Args:
        world: its rules are counted as if all of them could hold at any time.
        policies: of the world.
        whats: the kinds of content that are looked at.
    """
    by_rules = frozenset().union(
        *(
            regions_in(rule.keep[what].zones, world)
            for rule in world.rules.values()
            for what in rule.keep
            if what in whats
        )
    )
    found: dict[str, set[str]] = {region: set() for region in world.regions}
    for policy in policies.by_name.values():
        kept = frozenset().union(*(one.regions for one in policy.keep if one.what in whats))
        for region in policy.allowed:
            found[region] |= (kept | by_rules & policy.allowed) - {region}
    return {region: frozenset(stores) for region, stores in found.items()}


def _away_ms(home: str, region: str, world: World) -> float:
    return rtt_ms(world.regions[home].place, world.regions[region].place)
