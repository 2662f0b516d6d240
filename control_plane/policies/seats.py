"""Seats that a simulation takes and frees, on top of what was recorded. Pure.

Whoever is placed elsewhere leaves his seat at the node that he was recorded at, and takes one where
he is placed, until his session ends.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np

from control_plane.fleet.loads import regions_load, with_play
from control_plane.fleet.roster import I32, Roster
from control_plane.fleet.view import FleetView

_SLACK = 1e-6
"""Shares of seats that add up to a whole one are one."""


class Seats:
    """What is other at each node than was recorded, by kind."""

    def __init__(self) -> None:
        self._more: Counter[tuple[str, str]] = Counter()
        self._regions: Counter[str] = Counter()
        self._roster: Roster | None = None
        self._column = np.zeros((0, 0), np.int32)
        self.version = 0
        """Rises with every change."""

    def __bool__(self) -> bool:
        return bool(self._more)

    def touch(self, regions: frozenset[str]) -> bool:
        """Whether anything is other in one of these regions."""
        return not self._regions.keys().isdisjoint(regions)

    def add(self, node: str, region: str, kind: str, count: int) -> None:
        """So many more sessions at a node than were recorded there; fewer with a minus."""
        key, before = (node, kind), self._more[node, kind]
        self._more[key] += count
        if not self._more[key]:
            del self._more[key]
        self._regions[region] += int(key in self._more) - int(before != 0)
        if not self._regions[region]:
            del self._regions[region]
        if self._roster is not None:
            self._write(self._roster, node, kind, count)
        self.version += 1

    def items(self) -> Iterator[tuple[str, str, int]]:
        """(node, kind, how many more)."""
        return ((node, kind, count) for (node, kind), count in self._more.items())

    def seen(self, view: FleetView) -> FleetView:
        """The fleet as it would be."""
        return corrected(view, self.column(view.roster)) if self._more else view

    def column(self, roster: Roster) -> I32:
        """How many more, by kind and node of a roster."""
        if self._roster is not roster:
            self._roster = roster
            self._column = np.zeros((len(roster.kinds), len(roster.names)), np.int32)
            for node, kind, count in self.items():
                self._write(roster, node, kind, count)
        return self._column

    def _write(self, roster: Roster, node: str, kind: str, count: int) -> None:
        at = roster.index.get(node)
        if at is not None and kind in roster.kinds:
            self._column[roster.kinds.index(kind), at] += count


def corrected(view: FleetView, more: I32) -> FleetView:
    """A view with other seats taken.

    A seat of one kind takes of every other kind what its share of the room is, as nodes count it:
    they report room for each kind as if all were given to it.

    Args:
        view: as recorded.
        more: shape (kinds, nodes), sessions that are there and were not recorded there.
    """
    fits = view.fits.astype(np.float64)
    for kind in np.flatnonzero(more.any(axis=1)).tolist():
        of_kind = view.fits[kind]
        has_room = (of_kind > 0) & (view.fits > 0)
        share = np.divide(view.fits, of_kind, out=np.ones(fits.shape), where=has_room)
        share[kind] = 1.0
        fits -= more[kind] * share
    room = np.maximum(0, np.floor(fits + _SLACK)).astype(np.int32)
    held = np.maximum(0, view.held + more.sum(axis=0, dtype=np.int32))
    load = regions_load(view.roster, view.opened, held, room)
    return msgspec.structs.replace(view, fits=room, held=held, load=with_play(view.load, load))


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
