"""Two worlds compared by what they mean to sessions, not by their text. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from control_plane.policies.classes import Pair, SessionClass
from control_plane.policies.compare import Change, Plain, Setting, compare
from control_plane.policies.grouping import ForSessions, grouped
from shared.policy import CompiledPolicy, regions_in
from shared.policy.combining import Combiner
from shared.policy.matching import bits
from shared.regions.model import Period, World

_SECTIONS = frozenset({"version", "regions", "zones", "policies", "rules"})


class PartChange(msgspec.Struct, frozen=True):
    """A region, or a zone by the regions that it holds."""

    name: str
    what: str
    """`added`, `removed` or `changed`."""
    settings: tuple[Setting, ...] = ()


class PolicyChange(msgspec.Struct, frozen=True):
    """One policy."""

    name: str
    what: str
    """`added`, `removed` or `changed`."""
    allowed: tuple[str, ...] = ()
    """Of one that was added or removed, by itself."""
    settings: tuple[Setting, ...] = ()
    """Of the policy as a whole, such as `country_from`."""
    changes: tuple[ForSessions, ...] = ()
    """The plainest first."""


class Moment(msgspec.Struct, frozen=True, order=True):
    """When something begins to hold, or ends."""

    at_ms: int
    what: str
    """`rule bank begins`."""
    sign: str
    """`+`: in the second world only. `-`: in the first only."""


class Diff(msgspec.Struct, frozen=True):
    """Everything that two worlds differ in."""

    before: str
    """The version of the first."""
    after: str
    regions: tuple[PartChange, ...]
    zones: tuple[PartChange, ...]
    """Says nothing by itself: what follows from it stands with the policies."""
    settings: tuple[Setting, ...]
    """Of the whole file: `default_policy`, `ranking.cost_ms_per_usd`."""
    policies: tuple[PolicyChange, ...]
    moments: tuple[Moment, ...]
    """Likewise."""

    @property
    def same(self) -> bool:
        """Whether both mean the same to every session."""
        return not (self.regions or self.settings or self.policies)


def diff(before: World, after: World, since_ms: int | None = None) -> Diff:
    """What changes from one world to another.

    Args:
        before: the one.
        after: the other.
        since_ms: what only held before this moment is left out; None looks at all times.

    Raises:
        InvalidMessage: rules meet in more ways than can be looked at.
    """
    return Diff(
        before=before.version,
        after=after.version,
        regions=tuple(_regions(before, after)),
        zones=tuple(_zones(before, after)),
        settings=tuple(_world_settings(before, after)),
        policies=tuple(_policies(before, after, since_ms)),
        moments=_moments(before, after, since_ms),
    )


def _regions(before: World, after: World) -> Iterator[PartChange]:
    for name, what in _names(before.regions, after.regions):
        if what != "changed":
            yield PartChange(name, what)
        elif settings := tuple(_fields(before.regions[name], after.regions[name])):
            yield PartChange(name, what, settings)


def _zones(before: World, after: World) -> Iterator[PartChange]:
    """By what they hold: a jurisdiction without a region means nothing."""
    for name, what in _names(before.zones, after.zones):
        held = [tuple(sorted(regions_in((name,), world))) for world in (before, after)]
        if what != "changed":
            yield PartChange(name, what)
        elif held[0] != held[1]:
            yield PartChange(name, what, (Setting("regions", held[0], held[1]),))


def _world_settings(before: World, after: World) -> Iterator[Setting]:
    yield from _fields(before, after, without=_SECTIONS)


def _fields(
    before: msgspec.Struct, after: msgspec.Struct, without: Collection[str] = ()
) -> Iterator[Setting]:
    """Whatever fields there are; those of structs within by `name.field`."""
    for name in before.__struct_fields__:
        was, now = getattr(before, name), getattr(after, name)
        if name in without or was == now:
            continue
        if isinstance(was, msgspec.Struct) and isinstance(now, msgspec.Struct):
            for inner in _fields(was, now):
                yield Setting(f"{name}.{inner.name}", inner.before, inner.after)
        else:
            yield Setting(name, _shown(was), _shown(now))


def _shown(value: Any) -> Plain:
    if isinstance(value, frozenset | set | tuple | list):
        return tuple(sorted(map(str, value)))
    if isinstance(value, Mapping):
        return tuple(f"{key}: {value[key]}" for key in sorted(value, key=str))
    return value if value is None or isinstance(value, str | float | int | bool) else str(value)


def _names(before: Collection[str], after: Collection[str]) -> Iterator[tuple[str, str]]:
    """All names in their order, and whether both have them."""
    for name in sorted({*before, *after}):
        both = name in before and name in after
        yield name, "changed" if both else "added" if name in after else "removed"


def _policies(before: World, after: World, since_ms: int | None) -> Iterator[PolicyChange]:
    pair = Pair(before, after, since_ms)
    worked = _Worked(before), _Worked(after)
    common = before.regions.keys() & after.regions.keys()
    for name, what in _names(before.policies, after.policies):
        if what != "changed":
            side = worked[what == "added"]
            yield PolicyChange(name, what, tuple(sorted(side.of(name, 0).allowed)))
            continue
        was, now = before.policies[name], after.policies[name]
        settings = tuple(_fields(was, now, without=_OF_SESSIONS))
        found: dict[SessionClass, Change] = {}
        for which, first, second in pair.classes(was, now):
            at_ms = since_ms if which.span.from_ms is None else which.span.from_ms
            sides = (
                worked[0].of(name, first) if _holds(was.period, at_ms) else None,
                worked[1].of(name, second) if _holds(now.period, at_ms) else None,
            )
            found[which] = compare(*sides, common)
        changes = tuple(grouped(found))
        if settings or changes:
            yield PolicyChange(name, what, settings=settings, changes=changes)


_OF_SESSIONS = frozenset(
    {"name", "allow", "forbid", "require", "prefer", "overflow", "keep", "period"}
)
"""Of a policy: what is compared for each kind of session. Fields that have a namesake in what
policies compile to are left out beside these."""
_OF_SESSIONS |= frozenset(CompiledPolicy.__dataclass_fields__)


def _holds(period: Period, at_ms: int | None) -> bool:
    """Whether a period holds then; None is before all moments."""
    return period.from_ms is None if at_ms is None else period.holds(at_ms)


class _Worked:
    """What the policies of one world come to, remembered."""

    def __init__(self, world: World) -> None:
        self._combiner, self._rules = Combiner(world), tuple(world.rules.values())
        self._known: dict[tuple[str, int], CompiledPolicy] = {}

    def of(self, policy: str, met: int) -> CompiledPolicy:
        key = (policy, met)
        if key not in self._known:
            self._known[key] = self._combiner.combine(
                policy, [self._rules[bit] for bit in bits(met)]
            )
        return self._known[key]


def _moments(before: World, after: World, since_ms: int | None) -> tuple[Moment, ...]:
    was, now = set(_dated(before)), set(_dated(after))
    found = [Moment(*one, "+") for one in now - was] + [Moment(*one, "-") for one in was - now]
    return tuple(sorted(one for one in found if since_ms is None or one.at_ms > since_ms))


def _dated(world: World) -> Iterator[tuple[int, str]]:
    for kind, parts in (("policy", world.policies), ("rule", world.rules)):
        for name, part in parts.items():
            for at_ms, what in ((part.period.from_ms, "begins"), (part.period.until_ms, "ends")):
                if at_ms is not None:
                    yield at_ms, f"{kind} {name} {what}"
