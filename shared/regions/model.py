"""Regions, zones and policies as values. Frozen: a change is a new World with a new version."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from heliovox.protocol.messages import Place

WhenFull = Literal["refuse", "wait", "call_back"]
WhenForbidden = Literal["finish", "end", "move"]
LedgerNeed = Literal["wanted", "required"]
"""Whether a session may be heard where no ledger can say so: `wanted` lets it, and counts it."""
CountryFrom = Literal["claim", "address", "both", "agree"]
"""Which country a caller counts as, for rules: the one he claims (else his address's); his
address's; both, where they differ; or either, and nobody is placed where they differ."""
Kept = Literal["audio", "transcripts", "recovery", "synthesis"]
"""What of a session may be stored."""
EVERYWHERE = "everywhere"
"""The zone that is always there and holds every jurisdiction."""
WORD = r"[a-z0-9][a-z0-9-]{0,62}"
"""What names of zones, policies, rules, certifications and kinds of data are made of."""
GENERAL = "general"
"""The kind of data of sessions that say nothing of it."""


class Tiers(msgspec.Struct, frozen=True):
    """How many nodes a region may have, by how fast they are there."""

    hot: int = 0
    """Serving, 0 to 30 s."""
    warm: int = 0
    """Started, models not loaded: 30 s to 2 min."""
    cold: int = 0
    """Can be had: 2 to 10 min."""


class Region(msgspec.Struct, frozen=True):
    """One place under one jurisdiction."""

    name: str
    place: Place
    time_zone: str
    """An IANA name."""
    jurisdiction: str
    """Whose law holds: an ISO 3166 country code in lower case."""
    endpoint: str | None = None
    """Where callers of the region connect, if it is known beforehand."""
    tiers: Tiers = Tiers()
    hourly_cost_usd: float = 0.0
    """Of one node."""
    certifications: frozenset[str] = frozenset()
    """What it was certified for, in words of the file's own: `iso27001`, `hipaa`, ..."""


class Overflow(msgspec.Struct, frozen=True):
    """Where sessions may go beyond their home region; always inside what is allowed."""

    zones: tuple[str, ...] = ()
    """Empty: nowhere."""
    max_added_rtt_ms: float | None = None
    """Over the home region's; None for any."""
    max_added_cost_usd: float | None = None
    """Of a node's hour, over the home region's; None for any."""
    from_load: float = 1.0
    """The share of the home region's seats from which on sessions go there though some are left,
    as long as the other region is below it."""


class Keep(msgspec.Struct, frozen=True):
    """Where something of a session may be stored, and for how long."""

    zones: tuple[str, ...]
    days: int


class Period(msgspec.Struct, frozen=True):
    """From a moment up to another, which is left out; milliseconds since 1970."""

    from_ms: int | None = None
    """None: since ever."""
    until_ms: int | None = None
    """None: for ever."""

    def holds(self, at_ms: int) -> bool:
        """Whether the moment lies in it."""
        began = self.from_ms is None or at_ms >= self.from_ms
        return began and (self.until_ms is None or at_ms < self.until_ms)


class Policy(msgspec.Struct, frozen=True):
    """Which regions may take a session, and what happens when they are full."""

    name: str
    allow: tuple[str, ...]
    """Zones. The union of their jurisdictions, less what `forbid` and `require` take away, is the
    allowed set; nothing widens it."""
    overflow: Overflow = Overflow()
    when_full: WhenFull = "refuse"
    wait_s: float = 10.0
    """How long a seat is waited for before the session is refused after all."""
    forbid: tuple[str, ...] = ()
    """Zones. They take away, whatever allows them."""
    require: frozenset[str] = frozenset()
    """Certifications that a region must have, all of them."""
    prefer: tuple[str, ...] = ()
    """Zones. The home region is the nearest allowed one in them, where one is in service."""
    keep: Mapping[Kept, Keep] = msgspec.field(default_factory=dict)
    restricted: bool = False
    """That nobody is let in by rules that have expired, whatever `after_expiry_s` says."""
    after_expiry_s: int = 0
    """How long a node that hears nothing new may go on letting sessions in by expired rules."""
    when_forbidden: WhenForbidden = "end"
    """What becomes of a live session whose region newer rules forbid."""
    recovery_s: float | None = None
    """How long a session may go on after its connection was lost; 0 for not at all, None for as
    long as its node says."""
    ledger: LedgerNeed = "wanted"
    """Whether nothing is heard where no ledger can say so; one that requires it is enough."""
    country_from: CountryFrom = "both"
    period: Period = Period()
    """When it may be used."""


class When(msgspec.Struct, frozen=True):
    """Which sessions a rule is about: those that every condition holds for; None holds for all."""

    tenants: frozenset[str] | None = None
    data: frozenset[str] | None = None
    languages: frozenset[str] | None = None
    """`en` stands for `en-GB` too."""
    countries: frozenset[str] | None = None
    """Of the caller: ISO 3166 codes in lower case."""
    policies: frozenset[str] | None = None


class Rule(msgspec.Struct, frozen=True):
    """What holds for some sessions beside their policy.

    Restrictions of all rules add up; of what they set, the most precise rule's counts.
    """

    name: str
    when: When = When()
    period: Period = Period()
    allow: tuple[str, ...] | None = None
    """Zones: regions outside of them are taken away."""
    forbid: tuple[str, ...] = ()
    require: frozenset[str] = frozenset()
    prefer: tuple[str, ...] | None = None
    overflow: Overflow | None = None
    when_full: WhenFull | None = None
    wait_s: float | None = None
    keep: Mapping[Kept, Keep] = msgspec.field(default_factory=dict)
    restricted: bool = False
    after_expiry_s: int | None = None
    when_forbidden: WhenForbidden | None = None
    recovery_s: float | None = None
    ledger: LedgerNeed = "wanted"
    may_refuse: bool = False
    """That sessions are left without any region is meant."""


class RankingRules(msgspec.Struct, frozen=True):
    """How much money weighs against milliseconds when nodes are ranked."""

    cost_ms_per_usd: float = 0.0
    """Of the price of a node's hour."""
    conservative: bool = True
    """Money only chooses among nodes that are as good otherwise."""


class WaitingRules(msgspec.Struct, frozen=True):
    """How seats that become free are shared among those who wait for them."""

    weights: Mapping[str, int] = msgspec.field(default_factory=dict)
    """By tenant: while several wait for the same seats, each gets them in this proportion. 1 for
    whoever is not named."""

    def weight(self, tenant: str) -> int:
        """Of one tenant."""
        return self.weights.get(tenant, 1)


class World(msgspec.Struct, frozen=True):
    """Everything `regions.yaml` says."""

    version: str
    """Of the content: the first 12 hex digits of its SHA-256."""
    regions: Mapping[str, Region]
    zones: Mapping[str, frozenset[str]]
    """Jurisdictions by zone, worked out; `everywhere` is always there and holds those of all
    regions."""
    policies: Mapping[str, Policy]
    default_policy: str = "default"
    rules: Mapping[str, Rule] = msgspec.field(default_factory=dict)
    ranking: RankingRules = RankingRules()
    waiting: WaitingRules = WaitingRules()
