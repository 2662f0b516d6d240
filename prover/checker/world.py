"""A regions.yaml, read from its text. Words stay as they are written: `no` is Norway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

EVERYWHERE = "everywhere"
DIMENSIONS = ("tenants", "data", "languages", "countries", "policies")
"""Of a rule's `when`, in the order of precedence."""
SETTINGS = (
    "prefer", "overflow", "when_full", "wait_s", "after_expiry_s", "when_forbidden", "recovery_s",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True)
class Region:
    """One place under one law."""

    name: str
    lat: float
    lon: float
    jurisdiction: str
    cost_usd: float
    certifications: frozenset[str]


@dataclass(frozen=True)
class Overflow:
    """Beyond home: where to, from which load, how far, how dear."""

    zones: tuple[str, ...] = ()
    from_load: float = 1.0
    max_added_rtt_ms: float | None = None
    max_added_cost_usd: float | None = None


@dataclass(frozen=True)
class Clauses:
    """A policy or a rule. What it does not say is None (or empty, where that says the same)."""

    name: str
    allow: tuple[str, ...] | None
    forbid: tuple[str, ...]
    require: tuple[str, ...]
    set: Mapping[str, object]
    """Of SETTINGS, those that it sets."""
    keep: Mapping[str, tuple[tuple[str, ...], int]]
    """(zones, days) by what is kept."""
    from_ms: int | None
    until_ms: int | None
    country_from: str = "both"
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    may_refuse: bool = False
    restricted: bool = False
    ledger: str = "wanted"

    def in_force(self, at_ms: int) -> bool:
        """From its first moment on, up to the last, which is left out."""
        if self.from_ms is not None and at_ms < self.from_ms:
            return False
        return self.until_ms is None or at_ms < self.until_ms

    @property
    def precedence(self) -> tuple[bool, ...]:
        """The greater one's settings count."""
        return tuple(dimension in self.when for dimension in DIMENSIONS)


@dataclass(frozen=True)
class World:
    """All that the file says."""

    regions: Mapping[str, Region]
    zones: Mapping[str, frozenset[str]]
    """Jurisdictions by zone."""
    policies: Mapping[str, Clauses]
    rules: tuple[Clauses, ...]
    """In the file's order."""
    cost_ms_per_usd: float
    conservative: bool

    laws: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    """What `law` said before."""
    round_trips: dict[tuple[float, float], dict[str, float]] = field(default_factory=dict)
    """Milliseconds from places to regions, as worked out before."""

    def law(self, zones: tuple[str, ...]) -> frozenset[str]:
        """The jurisdictions of some zones."""
        if zones not in self.laws:
            self.laws[zones] = frozenset().union(*(self.zones[zone] for zone in zones))
        return self.laws[zones]

    def regions_in(self, zones: tuple[str, ...]) -> frozenset[str]:
        """The regions that lie in some zones."""
        law = self.law(zones)
        return frozenset(name for name, one in self.regions.items() if one.jurisdiction in law)


def read(text: str) -> World:
    """The world of a text that is known to be well formed."""
    file = yaml.load(text, Loader=_Loader)  # noqa: S506 the base loader makes strings alone
    regions = {name: _region(name, said) for name, said in file["regions"].items()}
    ranking = file.get("ranking", {})
    return World(
        regions=regions,
        zones=_zones(file.get("zones", {}), regions),
        policies={name: _clauses(name, said) for name, said in file["policies"].items()},
        rules=tuple(_clauses(name, said) for name, said in file.get("rules", {}).items()),
        cost_ms_per_usd=float(ranking.get("cost_ms_per_usd", "0")),
        conservative=ranking.get("conservative", "true") == "true",
    )


def _region(name: str, said: dict[str, Any]) -> Region:
    return Region(
        name=name,
        lat=float(said["place"]["lat"]),
        lon=float(said["place"]["lon"]),
        jurisdiction=said["jurisdiction"],
        cost_usd=float(said.get("hourly_cost_usd", "0")),
        certifications=frozenset(said.get("certifications", ())),
    )


def _zones(said: dict[str, Any], regions: dict[str, Region]) -> dict[str, frozenset[str]]:
    everywhere = frozenset(region.jurisdiction for region in regions.values())

    def members(names: list[str]) -> frozenset[str]:
        return frozenset().union(*(member(name) for name in names))

    def member(name: str) -> frozenset[str]:
        if name == EVERYWHERE:
            return everywhere
        if name not in said:
            return frozenset({name})  # a jurisdiction
        zone = said[name]
        if isinstance(zone, list):
            return members(zone)
        return members(zone["include"]) - members(zone.get("exclude", []))

    return {EVERYWHERE: everywhere, **{name: member(name) for name in said}}


def _clauses(name: str, said: dict[str, Any]) -> Clauses:
    settings: dict[str, object] = {}
    if "prefer" in said:
        settings["prefer"] = tuple(said["prefer"])
    if "overflow" in said:
        settings["overflow"] = _overflow(said["overflow"])
    if "when_full" in said:
        settings["when_full"] = said["when_full"]
    if "wait_s" in said:
        settings["wait_s"] = float(said["wait_s"])
    if "after_expiry_s" in said:
        settings["after_expiry_s"] = int(said["after_expiry_s"])
    if "recovery_s" in said:
        settings["recovery_s"] = float(said["recovery_s"])
    if "when_forbidden" in said:
        settings["when_forbidden"] = said["when_forbidden"]
    return Clauses(
        name=name,
        allow=tuple(said["allow"]) if "allow" in said else None,
        forbid=tuple(said.get("forbid", ())),
        require=tuple(said.get("require", ())),
        set=settings,
        keep={k: (tuple(v["zones"]), int(v["days"])) for k, v in said.get("keep", {}).items()},
        from_ms=moment_ms(said.get("from")),
        until_ms=moment_ms(said.get("until")),
        country_from=said.get("country_from", "both"),
        when={key: _words(key, words) for key, words in said.get("when", {}).items()},
        may_refuse=said.get("may_refuse", "false") == "true",
        restricted=said.get("restricted", "false") == "true",
        ledger=said.get("ledger", "wanted"),
    )


def _words(dimension: str, words: list[str]) -> frozenset[str]:
    return frozenset(word.lower() if dimension == "languages" else word for word in words)


def _overflow(said: dict[str, Any]) -> Overflow:
    def number(key: str) -> float | None:
        return float(said[key]) if key in said else None

    load = number("from_load")
    return Overflow(
        zones=tuple(said["zones"]),
        from_load=1.0 if load is None else load,
        max_added_rtt_ms=number("max_added_rtt_ms"),
        max_added_cost_usd=number("max_added_cost_usd"),
    )


def moment_ms(written: str | None) -> int | None:
    """Milliseconds since 1970 of a day's beginning in UTC, or of a moment with its offset."""
    if written is None:
        return None
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
