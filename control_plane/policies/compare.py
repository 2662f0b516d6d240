"""What two compiled policies differ in, for the same session. Pure."""

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from shared.policy import CompiledPolicy, KeptIn

Plain = str | float | int | bool | None | tuple[str, ...]
_BY_ITSELF = frozenset({"name", "version", "allowed", "rules", "removed", "keep"})
_OF_OVERFLOW = frozenset({"max_added_rtt_ms", "max_added_cost_usd", "from_load"})
GONE, NEW = "region is gone", "region is new"


class RegionChange(msgspec.Struct, frozen=True):
    """A region that is allowed on one side only."""

    region: str
    clause: str
    """What takes it away where it is not allowed: `eu-only.forbid`; or that there is no such
    region."""


class Setting(msgspec.Struct, frozen=True):
    """Something else that is not the same. Of regions: those that are allowed on both sides."""

    name: str
    before: Plain
    after: Plain


class Change(msgspec.Struct, frozen=True):
    """Everything that is other for a session."""

    gained: tuple[RegionChange, ...] = ()
    lost: tuple[RegionChange, ...] = ()
    settings: tuple[Setting, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.settings)


def compare(
    before: CompiledPolicy | None, after: CompiledPolicy | None, regions: Collection[str]
) -> Change:
    """What changes for a session.

    Args:
        before: what holds for it; None where its policy is not in effect.
        after: likewise, in the other world.
        regions: those that both worlds have.
    """
    if before is None or after is None:
        return _effect(before, after)
    common = before.allowed & after.allowed
    return Change(
        gained=_regions(after.allowed - before.allowed, before, regions, NEW),
        lost=_regions(before.allowed - after.allowed, after, regions, GONE),
        settings=tuple(_settings(before, after, common)),
    )


def _effect(before: CompiledPolicy | None, after: CompiledPolicy | None) -> Change:
    if before is after:
        return Change()
    was, now = before is not None, after is not None
    return Change(settings=(Setting("in_effect", was, now),))


def _regions(
    changed: frozenset[str], without: CompiledPolicy, known: Collection[str], unknown: str
) -> tuple[RegionChange, ...]:
    clauses = dict(without.removed)
    return tuple(
        RegionChange(region, clauses.get(region, "") if region in known else unknown)
        for region in sorted(changed)
    )


def _settings(
    before: CompiledPolicy, after: CompiledPolicy, common: frozenset[str]
) -> Iterator[Setting]:
    """Whatever a compiled policy has: what is added to it is compared as well."""
    idle = _idle(before) & _idle(after)
    for field in dataclasses.fields(CompiledPolicy):
        if field.name not in _BY_ITSELF | idle:
            was, now = (_plain(getattr(one, field.name), common) for one in (before, after))
            if was != now:
                yield Setting(field.name, was, now)
    yield from _keep(before.keep, after.keep, common)


def _idle(policy: CompiledPolicy) -> frozenset[str]:
    """What is written, and never asked for."""
    waits = frozenset({"wait_s"}) if policy.when_full == "refuse" else frozenset[str]()
    return waits if policy.overflow else waits | _OF_OVERFLOW


def _keep(
    before: tuple[KeptIn, ...], after: tuple[KeptIn, ...], common: frozenset[str]
) -> Iterator[Setting]:
    was, now = ({one.what: one for one in keep} for keep in (before, after))
    for what in sorted(was.keys() | now.keys()):
        old, new = was.get(what), now.get(what)
        days = (None if old is None else old.days, None if new is None else new.days)
        if days[0] != days[1]:
            yield Setting(f"keep.{what}.days", *days)
        if old is not None and new is not None:
            regions = (_plain(old.regions, common), _plain(new.regions, common))
            if regions[0] != regions[1]:
                yield Setting(f"keep.{what}.regions", *regions)


def _plain(value: Any, common: frozenset[str]) -> Plain:
    """As it is shown. Sets are of regions."""
    if isinstance(value, frozenset):
        return tuple(sorted(value & common))
    if isinstance(value, tuple):
        return tuple(map(str, value))
    if value is None or isinstance(value, str | float | int | bool):
        return value
    return str(value)
