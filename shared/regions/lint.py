"""Whether the parts of a world make sense together. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.policy import regions_in
from shared.regions.model import EVERYWHERE, Policy, Tiers, World
from shared.regions.problems import Severity, plain, shown
from shared.regions.reading import Path

_MOST_NAMES = 12


class Finding(NamedTuple):
    """Something that makes no sense, and where."""

    path: Path
    message: str
    remedy: str
    severity: Severity = "error"


class Declared(NamedTuple):
    """What the file names, whether or not it could be read."""

    zones: frozenset[str]
    policies: frozenset[str]
    home_only: frozenset[str]
    """Policies that say with an empty list that they overflow nowhere."""
    whole: bool
    """All regions and zones could be read. Otherwise nothing is said of what is not there."""


def findings(world: World, declared: Declared) -> Iterator[Finding]:
    """Everything there is to say."""
    yield from _default(world, declared.policies)
    yield from _tiers(world)
    if declared.whole:
        yield from _zones(world)
    for policy in world.policies.values():
        if not policy.allow:
            path = ("policies", policy.name, "allow")
            yield Finding(path, "could place nobody: it allows nothing", "name at least one zone")
        yield from _unknown_zones(policy, declared.zones | {EVERYWHERE})
        if declared.whole:
            yield from _nobody(policy, world)
            yield from _idle_overflow(policy, world)
            yield from _home_only(policy, world, said=policy.name in declared.home_only)


def _tiers(world: World) -> Iterator[Finding]:
    for name, region in world.regions.items():
        if region.tiers == Tiers():
            remedy = "write tiers: {hot: 1}, or how many it may have"
            yield Finding(("regions", name), "may have no node in any tier", remedy, "warning")


def _default(world: World, declared: frozenset[str]) -> Iterator[Finding]:
    if declared and world.default_policy not in declared:
        message = f"there is no policy {shown(world.default_policy)}"
        remedy = f"write it under policies, or name one of: {_list(declared)}"
        yield Finding(("default_policy",), message, remedy)


def _zones(world: World) -> Iterator[Finding]:
    lawful = _law(world)
    for name, jurisdictions in world.zones.items():
        if absent := jurisdictions - lawful:
            message = f"no region lies in {_list(absent)}"
            remedy = "leave it out until a region comes, or check the spelling"
            yield Finding(("zones", name), message, remedy, "warning")


def _unknown_zones(policy: Policy, zones: frozenset[str]) -> Iterator[Finding]:
    for key, named in _lists(policy):
        for number, zone in enumerate(named):
            if zone not in zones:
                path = ("policies", policy.name, *key, str(number))
                message, known = f"there is no zone {shown(zone)}", _list(zones)
                yield Finding(path, message, f"write it under zones, or use one of: {known}")


def _nobody(policy: Policy, world: World) -> Iterator[Finding]:
    known = policy.allow and all(zone in world.zones for zone in policy.allow)
    if known and not regions_in(policy.allow, world):
        message = "could place nobody: no region lies in what it allows"
        remedy = f"allow a zone with one of: {_list(_law(world)) or '(there is no region)'}"
        yield Finding(("policies", policy.name, "allow"), message, remedy)


def _idle_overflow(policy: Policy, world: World) -> Iterator[Finding]:
    """Zones that a session is said to overflow to, and never would."""
    allowed = _jurisdictions(policy.allow, world)
    for number, zone in enumerate(policy.overflow.zones):
        if outside := _jurisdictions((zone,), world) - allowed:
            path = ("policies", policy.name, "overflow", "zones", str(number))
            message = f"zone {plain(zone)} reaches outside what is allowed: {_list(outside)}"
            remedy = "it would never count there: use a zone inside, or allow it"
            yield Finding(path, message, remedy)


def _home_only(policy: Policy, world: World, *, said: bool) -> Iterator[Finding]:
    """A home region that is full or gone leaves no other, and nobody says that it is meant."""
    allowed, overflow = (regions_in(each, world) for _, each in _lists(policy))
    if said or not allowed or (len(allowed) > 1 and overflow):
        return
    why = "there is one region only" if len(allowed) == 1 else "it overflows nowhere"
    message = f"is home-only: {why}, so a full region refuses or waits"
    remedy = "add zones to overflow; if it is meant, write overflow: {zones: []}"
    yield Finding(("policies", policy.name), message, remedy, "warning")


def _lists(policy: Policy) -> tuple[tuple[Path, tuple[str, ...]], tuple[Path, tuple[str, ...]]]:
    return (("allow",), policy.allow), (("overflow", "zones"), policy.overflow.zones)


def _law(world: World) -> frozenset[str]:
    return frozenset(region.jurisdiction for region in world.regions.values())


def _jurisdictions(zones: Iterable[str], world: World) -> frozenset[str]:
    return frozenset().union(*(world.zones.get(zone, frozenset()) for zone in zones))


def _list(names: Iterable[str]) -> str:
    """The first few names; files of thousands are possible."""
    all_of_them = sorted(names)
    more = len(all_of_them) - _MOST_NAMES
    some = ", ".join(map(plain, all_of_them[:_MOST_NAMES]))
    return f"{some} and {more} more" if more > 0 else some
