"""Seats that a simulation takes and frees, on top of what was recorded. Pure.

Whoever is placed elsewhere leaves his seat at the node that he was recorded at, and takes one where
he is placed, until his session ends.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from control_plane.fleet.loads import regions_load, with_play
from control_plane.fleet.roster import I32
from control_plane.fleet.states import State
from control_plane.fleet.view import FleetView, standing_of

_OPEN = standing_of(np.array(State.READY, np.uint8), np.array(0, np.uint8))


class Seats:
    """What is other at each node than was recorded, by kind."""

    def __init__(self) -> None:
        self._more: Counter[tuple[str, str]] = Counter()
        self._regions: Counter[str] = Counter()
        self.version = 0
        """Rises with every change."""

    def __bool__(self) -> bool:
        return bool(self._more)

    def touch(self, regions: frozenset[str]) -> bool:
        """Whether anything is other in one of these regions."""
        return not self._regions.keys().isdisjoint(regions)

    def add(self, node: str, region: str, kind: str, count: int) -> None:
        """So many more sessions at a node than were recorded there; fewer with a minus."""
        key = (node, kind)
        before = self._more[key]
        self._more[key] += count
        if not self._more[key]:
            del self._more[key]
        self._regions[region] += int(self._more.get(key, 0) != 0) - int(before != 0)
        if not self._regions[region]:
            del self._regions[region]
        self.version += 1

    def items(self) -> Iterator[tuple[str, str, int]]:
        """(node, kind, how many more)."""
        for (node, kind), count in self._more.items():
            yield node, kind, count

    def seen(self, view: FleetView) -> FleetView:
        """The fleet as it would be."""
        return corrected(view, self) if self._more else view


def corrected(view: FleetView, seats: Seats) -> FleetView:
    """A view with other seats taken.

    A seat of one kind takes of every other kind what its share of the room is, as nodes count it:
    they report room for each kind as if all were given to it.
    """
    roster = view.roster
    fits, held = view.fits.copy(), view.held.copy()
    for node, kind, count in seats.items():
        at = roster.index.get(node)
        if at is None or kind not in roster.kinds:
            continue
        held[at] = max(0, held[at] + count)
        _take(fits, at, roster.kinds.index(kind), count)
    load = regions_load(roster, view.standing == _OPEN, held, fits)
    return replace(view, fits=fits, held=held, load=with_play(view.load, load))


def _take(fits: I32, at: int, kind: int, count: int) -> None:
    of_kind = int(fits[kind, at])
    for other in range(len(fits)):
        room = int(fits[other, at])
        share = room / of_kind if other != kind and of_kind > 0 and room > 0 else 1.0
        if room or other == kind or count < 0:
            fits[other, at] = max(0, int(room - count * share))


class Corrected:
    """The latest view with the seats that are other: many decisions are made on one."""

    def __init__(self, seats: Seats) -> None:
        self._seats, self._version = seats, -1
        self._base: FleetView | None = None
        self._view: FleetView | None = None

    def of(self, view: FleetView) -> FleetView:
        """The view as it would be."""
        if self._view is None or self._base is not view or self._version != self._seats.version:
            self._base, self._version = view, self._seats.version
            self._view = self._seats.seen(view)
        return self._view
