"""Whether the parts of a world make sense together. Pure."""

from collections.abc import Iterable, Iterator

from shared.policy.clauses import regions_in, taken
from shared.regions import lint_rules
from shared.regions.finding import Declared, Finding, listed, zone_lists
from shared.regions.model import EVERYWHERE, Period, Policy, Rule, Tiers, World
from shared.regions.problems import plain, shown
from shared.regions.reading import Path


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
        yield from _unknown_zones("policies", policy, declared.zones | {EVERYWHERE})
        if declared.whole:
            yield from _nobody(policy, world)
            yield from _idle_zones(policy, world)
            yield from _home_only(policy, world, said=policy.name in declared.home_only)
            yield from _certifications("policies", policy, world)
        yield from _idle_expiry("policies", policy)
    for rule in world.rules.values():
        yield from _unknown_zones("rules", rule, declared.zones | {EVERYWHERE})
        if declared.whole:
            yield from _certifications("rules", rule, world)
        yield from _idle_expiry("rules", rule)
    yield from lint_rules.findings(world, declared)


def _tiers(world: World) -> Iterator[Finding]:
    for name, region in world.regions.items():
        if region.tiers == Tiers():
            remedy = "write tiers: {hot: 1}, or how many it may have"
            yield Finding(("regions", name), "may have no node in any tier", remedy, "warning")


def _default(world: World, declared: frozenset[str]) -> Iterator[Finding]:
    name = world.default_policy
    if declared and name not in declared:
        message = f"there is no policy {shown(name)}"
        remedy = f"write it under policies, or name one of: {listed(declared)}"
        yield Finding(("default_policy",), message, remedy)
    if name in world.policies and world.policies[name].period != Period():
        message = "is the default, and would be refused outside of its period"
        remedy = "leave from and until out, or name another default_policy"
        yield Finding(("policies", name), message, remedy)


def _zones(world: World) -> Iterator[Finding]:
    lawful = _law(world)
    for name, jurisdictions in world.zones.items():
        if absent := jurisdictions - lawful:
            message = f"no region lies in {listed(absent)}"
            remedy = "leave it out until a region comes, or check the spelling"
            yield Finding(("zones", name), message, remedy, "warning")


def _unknown_zones(section: str, part: Policy | Rule, zones: frozenset[str]) -> Iterator[Finding]:
    for key, named in zone_lists(part):
        for number, zone in enumerate(named):
            if zone not in zones:
                path = (section, part.name, *key, str(number))
                message, known = f"there is no zone {shown(zone)}", listed(zones)
                yield Finding(path, message, f"write it under zones, or use one of: {known}")


def _nobody(policy: Policy, world: World) -> Iterator[Finding]:
    if not policy.allow or not _known((*policy.allow, *policy.forbid), world):
        return
    path: Path = ("policies", policy.name, "allow")
    if not regions_in(policy.allow, world):
        message = "could place nobody: no region lies in what it allows"
        remedy = f"allow a zone with one of: {listed(_law(world)) or '(there is no region)'}"
        yield Finding(path, message, remedy)
    elif len(gone := taken(policy, world)) == len(world.regions):
        clauses = {clause.removeprefix(f"{policy.name}.") for clause in gone.values()} - {"allow"}
        message = f"could place nobody: {listed(clauses)} take away all that it allows"
        yield Finding(path, message, "allow more, or forbid and require less")


def _idle_zones(policy: Policy, world: World) -> Iterator[Finding]:
    """Zones that a session is said to overflow to, or to be kept in, and never would."""
    allowed = _jurisdictions(policy.allow, world)
    for key, named in zone_lists(policy):
        if key[0] not in ("overflow", "keep", "prefer"):
            continue
        for number, zone in enumerate(named):
            if outside := _jurisdictions((zone,), world) - allowed:
                path = ("policies", policy.name, *key, str(number))
                message = f"zone {plain(zone)} reaches outside what is allowed: {listed(outside)}"
                remedy = "it would never count there: use a zone inside, or allow it"
                yield Finding(path, message, remedy, "warning" if key[0] == "prefer" else "error")


def _home_only(policy: Policy, world: World, *, said: bool) -> Iterator[Finding]:
    """A home region that is full or gone leaves no other, and nobody says that it is meant."""
    allowed = frozenset(world.regions).difference(taken(policy, world))
    overflow = allowed & regions_in(policy.overflow.zones, world)
    if said or not allowed or (len(allowed) > 1 and overflow):
        return
    why = "there is one region only" if len(allowed) == 1 else "it overflows nowhere"
    message = f"is home-only: {why}, so a full region refuses or waits"
    remedy = "add zones to overflow; if it is meant, write overflow: {zones: []}"
    yield Finding(("policies", policy.name), message, remedy, "warning")


def _certifications(section: str, part: Policy | Rule, world: World) -> Iterator[Finding]:
    known = frozenset().union(*(region.certifications for region in world.regions.values()))
    if missing := part.require - known:
        message = f"no region is certified for {listed(missing)}"
        remedy = f"write it under a region's certifications, or use one of: {listed(known) or '-'}"
        yield Finding((section, part.name, "require"), message, remedy, "warning")


def _idle_expiry(section: str, part: Policy | Rule) -> Iterator[Finding]:
    if part.restricted and part.after_expiry_s:
        message = "never counts: restricted sessions are not let in by expired rules"
        path = (section, part.name, "after_expiry_s")
        yield Finding(path, message, "leave it out, or leave restricted out", "warning")


def _known(zones: Iterable[str], world: World) -> bool:
    return all(zone in world.zones for zone in zones)


def _law(world: World) -> frozenset[str]:
    return frozenset(region.jurisdiction for region in world.regions.values())


def _jurisdictions(zones: Iterable[str], world: World) -> frozenset[str]:
    return frozenset().union(*(world.zones.get(zone, frozenset()) for zone in zones))
