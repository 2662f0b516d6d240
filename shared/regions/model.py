"""Regions, zones and policies as values. Frozen: a change is a new World with a new version."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from heliovox.protocol.messages import Place

WhenFull = Literal["refuse", "wait"]
EVERYWHERE = "everywhere"
"""The zone that is always there and holds every jurisdiction."""


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


class Overflow(msgspec.Struct, frozen=True):
    """Where sessions may go beyond their home region; always inside what is allowed."""

    zones: tuple[str, ...] = ()
    """Empty: nowhere."""
    max_added_rtt_ms: float | None = None
    """Over the home region's; None for any."""


class Policy(msgspec.Struct, frozen=True):
    """Which regions may take a session, and what happens when they are full."""

    name: str
    allow: tuple[str, ...]
    """Zones. The union of their jurisdictions is the allowed set; nothing widens it."""
    overflow: Overflow = Overflow()
    when_full: WhenFull = "refuse"
    wait_s: float = 10.0
    """How long `wait` waits for a seat before it refuses after all."""


class World(msgspec.Struct, frozen=True):
    """Everything `regions.yaml` says."""

    version: str
    """Of the content: the first 12 hex digits of its SHA-256."""
    regions: Mapping[str, Region]
    zones: Mapping[str, frozenset[str]]
    """Jurisdictions by zone; `everywhere` is always there and holds those of all regions."""
    policies: Mapping[str, Policy]
    default_policy: str = "default"
