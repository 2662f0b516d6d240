"""The part of a view that seldom changes: which nodes there are, where, and what they offer.

Every report changes a view; few change the roster. So what is worked out from names, regions and
offers alone is remembered here and outlives the views that share the roster.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control_plane.fleet.atlas import Atlas, Mask
from control_plane.fleet.memo import Memo
from shared.capacity import CapacityReport

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
Index = NDArray[np.intp]
"""What columns are looked up by; other integers would be converted at every look."""

ASKS = 1024
"""Combinations of policy, kind, language and model whose sieve is remembered, a byte a node."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a node has; nodes with equal offers share one."""

    kinds: frozenset[str]
    languages: frozenset[str]
    """In lower case."""
    models: frozenset[str]
    """Recognisers and voices."""


def offer_of(report: CapacityReport) -> Offer:
    """What the node says that it has."""
    return Offer(
        frozenset(report.kinds),
        frozenset(language.lower() for language in report.languages),
        frozenset(report.models) | frozenset(report.voices),
    )


@dataclass(frozen=True, eq=False)
class Roster:
    """Nodes in the order of their names, which is the order of every column of a view."""

    atlas: Atlas
    names: tuple[str, ...]
    urls: tuple[str, ...]
    boots: tuple[str, ...]
    region: Index
    """Of each node, as an index into `atlas.names`."""
    offer: Index
    """Of each node, as an index into `offers`."""
    offers: tuple[Offer, ...]
    kinds: tuple[str, ...]
    """Rows of a view's `fits`: every kind that any node has."""
    does: tuple[Mask, ...]
    """For each of the kinds, the nodes that offer it."""
    index: dict[str, int] = field(init=False, repr=False)
    sieves: Memo[tuple[object, ...], Any] = field(
        init=False, repr=False, default_factory=lambda: Memo(ASKS)
    )
    """For `decide`: what follows from policy, kind, language and model alone."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {name: at for at, name in enumerate(self.names)})

    def region_of(self, node: int) -> str:
        """The name of a node's region."""
        return self.atlas.names[int(self.region[node])]


@dataclass(frozen=True, slots=True)
class Entry:
    """One node as the roster lists it."""

    name: str
    region: str
    url: str
    boot: str
    offer: Offer


def make_roster(atlas: Atlas, entries: Sequence[Entry]) -> Roster:
    """A roster of nodes in any order, each in a region of the atlas."""
    entries = sorted(entries, key=lambda entry: entry.name)
    offers: dict[Offer, int] = {}
    for entry in entries:
        offers.setdefault(entry.offer, len(offers))
    kinds = tuple(sorted({kind for offer in offers for kind in offer.kinds}))
    return Roster(
        atlas=atlas,
        names=tuple(entry.name for entry in entries),
        urls=tuple(entry.url for entry in entries),
        boots=tuple(entry.boot for entry in entries),
        region=np.array([atlas.index[entry.region] for entry in entries], np.intp),
        offer=np.array([offers[entry.offer] for entry in entries], np.intp),
        offers=tuple(offers),
        kinds=kinds,
        does=tuple(
            np.array([kind in entry.offer.kinds for entry in entries], np.bool_) for kind in kinds
        ),
    )
