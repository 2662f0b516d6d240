"""Policies and rules out of YAML nodes, one at a time, and the sections that both have."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args

import yaml

from shared.regions.model import (
    WORD,
    CountryFrom,
    Keep,
    Kept,
    LedgerNeed,
    Overflow,
    Policy,
    RankingRules,
    Rule,
    When,
    WhenForbidden,
    WhenFull,
)
from shared.regions.reading import Item, Reader
from shared.regions.words import (
    LANGUAGE,
    TENANT,
    certification,
    check_name,
    country,
    given,
    keys_of,
    listed,
    matching,
    one_of,
    period,
    yes_or_no,
)

MOST_RTT_MS = 10_000.0
MOST_ADDED_USD = 100_000.0
LEAST_LOAD = 0.05
MOST_WAIT_S = 600.0
MOST_DAYS = 3650
MOST_AFTER_EXPIRY_S = 7 * 24 * 3600
MOST_RECOVERY_S = 600.0
MOST_MS_PER_USD = 100.0

EFFECTS = (
    "allow",
    "forbid",
    "require",
    "prefer",
    "overflow",
    "when_full",
    "wait_s",
    "keep",
    "restricted",
    "after_expiry_s",
    "when_forbidden",
    "recovery_s",
    "ledger",
)
"""What a rule may do."""


def policy(read: Reader, item: Item) -> Policy | None:
    """A policy; None where its zones could not be read."""
    name = item.path[-1]
    check_name(read, name, item.path, "a policy")
    entries = read.section(item, keys_of(Policy), ("allow",))
    effects, whole = _effects(read, entries)
    fields = {"allow": (), **effects, "country_from": _country_from(read, entries)}
    if not whole or "allow" not in entries:
        return None
    return Policy(name, period=period(read, entries), **given(fields))


def rule(read: Reader, item: Item) -> Rule | None:
    """A rule; None where its conditions or zones could not be read."""
    name = item.path[-1]
    check_name(read, name, item.path, "a rule")
    entries = read.section(item, keys_of(Rule))
    if entries and not entries.keys() & set(EFFECTS):
        read.refuse(item.path, "does nothing", f"write at least one of {', '.join(EFFECTS)}")
    when = _when(read, entries.get("when"))
    effects, whole = _effects(read, entries)
    may_refuse = yes_or_no(read, entries.get("may_refuse"))
    whole = whole and (may_refuse is not None or "may_refuse" not in entries)
    in_force = period(read, entries)
    if when is None or not whole:
        return None
    return Rule(name, when, in_force, **given({**effects, "may_refuse": may_refuse}))


def ranking(read: Reader, item: Item | None) -> RankingRules:
    """How money weighs."""
    if item is None:
        return RankingRules()
    entries = read.section(item, keys_of(RankingRules))
    cost = read.number(entries.get("cost_ms_per_usd"), 0.0, MOST_MS_PER_USD)
    conservative = yes_or_no(read, entries.get("conservative"))
    fields: dict[str, Any] = {"cost_ms_per_usd": cost, "conservative": conservative}
    return RankingRules(**given(fields))


def says_home_only(item: Item) -> bool:
    """Whether a policy says with an empty list that it overflows nowhere."""
    overflow = _under(item.node, "overflow")
    zones = _under(overflow, "zones")
    return isinstance(zones, yaml.SequenceNode) and not zones.value


def _under(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _effects(read: Reader, entries: dict[str, Item]) -> tuple[dict[str, Any], bool]:
    """What policies and rules do alike, and whether all zones and words of it could be read."""
    before = len(read.problems)
    zones = {key: _zones(read, entries.get(key)) for key in ("allow", "forbid", "prefer")}
    require, _ = listed(read, entries.get("require"), certification)
    overflow = _overflow(read, entries.get("overflow"))
    keep = _keep(read, entries.get("keep"))
    restricted = yes_or_no(read, entries.get("restricted"))
    whole = len(read.problems) == before
    return {
        **zones,
        "require": require,
        "overflow": overflow,
        "keep": keep,
        "when_full": one_of(read, entries.get("when_full"), WhenFull),
        "wait_s": read.number(entries.get("wait_s"), 0.0, MOST_WAIT_S),
        "restricted": restricted,
        "after_expiry_s": read.whole(entries.get("after_expiry_s"), MOST_AFTER_EXPIRY_S),
        "when_forbidden": one_of(read, entries.get("when_forbidden"), WhenForbidden),
        "recovery_s": read.number(entries.get("recovery_s"), 0.0, MOST_RECOVERY_S),
        "ledger": one_of(read, entries.get("ledger"), LedgerNeed),
    }, whole


def _zones(read: Reader, item: Item | None) -> tuple[str, ...] | None:
    """Names of zones; None where nothing is written."""
    return None if item is None else tuple(str(each.node.value) for each in read.words(item))


def _overflow(read: Reader, item: Item | None) -> Overflow | None:
    if item is None:
        return None
    entries = read.section(item, keys_of(Overflow), ("zones",))
    fields: dict[str, Any] = {
        "zones": _zones(read, entries.get("zones")),
        "max_added_rtt_ms": read.number(entries.get("max_added_rtt_ms"), 0.0, MOST_RTT_MS),
        "max_added_cost_usd": read.number(entries.get("max_added_cost_usd"), 0.0, MOST_ADDED_USD),
        "from_load": read.number(entries.get("from_load"), LEAST_LOAD, 1.0),
    }
    return Overflow(**given(fields))


def _keep(read: Reader, item: Item | None) -> Mapping[Kept, Keep]:
    if item is None:
        return {}
    entries = read.section(item, get_args(Kept))
    if entries == {}:
        read.refuse(item.path, "keeps nothing", "name what may be kept, or leave keep out")
    kept: dict[Kept, Keep] = {}
    for what in get_args(Kept):
        if what in entries:
            inner = read.section(entries[what], keys_of(Keep), keys_of(Keep))
            zones = _zones(read, inner.get("zones")) or ()
            kept[what] = Keep(zones, read.whole(inner.get("days"), MOST_DAYS) or 0)
    return MappingProxyType(kept)


def _country_from(read: Reader, entries: dict[str, Item]) -> str | None:
    return one_of(read, entries.get("country_from"), CountryFrom)


def _when(read: Reader, item: Item | None) -> When | None:
    """Whom a rule is about; None where that is not to be known."""
    if item is None:
        return When()
    before = len(read.problems)
    entries = read.section(item, keys_of(When))
    readers = {
        "tenants": _tenant, "data": _data, "languages": _language, "countries": _country,
        "policies": _policy,
    }  # fmt: skip
    words: dict[str, frozenset[str]] = {}
    for key, entry in entries.items():
        words[key], whole = listed(read, entry, readers[key])
        if whole and not words[key]:
            read.refuse(entry.path, "names nothing", "name at least one, or leave it out")
    return When(**words) if len(read.problems) == before else None


def _tenant(read: Reader, item: Item | None) -> str | None:
    remedy = "use the name of a tenant: letters, digits, - and _, 63 at most"
    return matching(read, item, TENANT, "tenant", remedy)


def _data(read: Reader, item: Item | None) -> str | None:
    remedy = "use a-z, 0-9 and -, 63 at most, such as health"
    return matching(read, item, WORD, "kind of data", remedy)


def _language(read: Reader, item: Item | None) -> str | None:
    word = matching(read, item, LANGUAGE, "language", "use a tag such as en or en-GB")
    return None if word is None else word.lower()


def _country(read: Reader, item: Item | None) -> str | None:
    return country(read, item, "country")


def _policy(read: Reader, item: Item | None) -> str | None:
    return read.word(item)
