"""Which regions zones hold, and which regions a policy or a rule takes away by which clause."""

from collections.abc import Iterable, Mapping

from shared.regions.model import EVERYWHERE, Policy, Rule, World


def regions_in(zones: Iterable[str], world: World) -> frozenset[str]:
    """The regions whose jurisdiction lies in one of the zones; an unknown zone holds none."""
    named = frozenset(zones)
    if EVERYWHERE in named:
        return frozenset(world.regions)
    law = frozenset().union(*(world.zones.get(zone, frozenset()) for zone in named))
    return frozenset(name for name, region in world.regions.items() if region.jurisdiction in law)


def taken(by: Policy | Rule, world: World) -> Mapping[str, str]:
    """The regions that a policy or rule takes away, and by which clause each: the first that does.

    `allow` takes what lies outside of it, `forbid` what lies inside, `require` what lacks a
    certification: `eu-only.allow`, `health.require.hipaa`.
    """
    allowed = frozenset(world.regions) if by.allow is None else regions_in(by.allow, world)
    forbidden = regions_in(by.forbid, world)
    clauses = {}
    for name, region in world.regions.items():
        lacking = by.require - region.certifications
        if name not in allowed:
            clauses[name] = f"{by.name}.allow"
        elif name in forbidden:
            clauses[name] = f"{by.name}.forbid"
        elif lacking:
            clauses[name] = f"{by.name}.require.{min(lacking)}"
    return clauses
