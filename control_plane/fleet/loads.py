"""How full regions are, for each kind of session; with play, so that it does not flutter. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control_plane.fleet.roster import I32, Index, Roster

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

PLAY = 0.05
"""Between the load and what is said of it. What begins at a threshold ends only when the load is so
much below it. More moves callers back and forth less often, and lets them stay away longer."""

Loads = Mapping[str, Mapping[str, float]]
"""By kind and region."""


def with_play(before: F64, load: F64) -> F64:
    """What is said of a load: what was said before, as long as that is at most 0.05 too high."""
    said: F64 = np.minimum(np.maximum(before, load), load + PLAY)
    return said


@dataclass(frozen=True, slots=True, eq=False)
class Open:
    """The nodes that take sessions of one kind, region by region."""

    nodes: Index
    """As indices into the roster, those of one region together."""
    starts: Index
    """Where in `nodes` each of `regions` begins."""
    regions: Index
    """That have any, as indices into the atlas."""


def open_of(roster: Roster, open_nodes: Mask) -> tuple[Open, ...]:
    """For each of the roster's kinds; one object for kinds that the same nodes offer.

    Args:
        roster: the nodes.
        open_nodes: shape (n,), those that are ready and hot.
    """
    found: list[Open] = []
    for offers in roster.does:
        made = _open(roster, (offers & open_nodes).nonzero()[0])
        found.append(next((one for one in found if np.array_equal(one.nodes, made.nodes)), made))
    return tuple(found)


def _open(roster: Roster, nodes: Index) -> Open:
    nodes = nodes.take(roster.region.take(nodes).argsort(kind="stable"))
    regions, starts = np.unique(roster.region.take(nodes), return_index=True)
    return Open(nodes, starts, regions)


def _by_region(of: Open, column: I32) -> I64:
    """The sum of a column over the nodes of each region."""
    if not of.nodes.size:
        return np.zeros(0, np.int64)
    return np.add.reduceat(column.take(of.nodes), of.starts, dtype=np.int64)


def regions_load(roster: Roster, open_nodes: Sequence[Open], held: I32, fits: I32) -> F64:
    """The share of seats that is taken: held / (held + fits) over nodes that take sessions.

    Args:
        roster: the nodes.
        open_nodes: for each kind, those that are ready and hot.
        held: shape (n,).
        fits: shape (kinds, n).

    Returns:
        Shape (kinds, regions); 1 where nobody offers the kind, or has a seat, taken or free.
    """
    load = np.ones((len(roster.kinds), len(roster.atlas.names)))
    counted, taken = None, np.zeros(0, np.int64)
    for of, room, row in zip(open_nodes, fits, load, strict=True):
        if of is not counted:
            counted, taken = of, _by_region(of, held)
        seats = taken + _by_region(of, room)
        row[of.regions] = (taken + (seats == 0)) / np.maximum(seats, 1)
    return load


def known(roster: Roster, loads: Loads, unknown: F64) -> F64:
    """Loads that were said before, for another roster; where nothing was said, what is unknown."""
    said = unknown.copy()
    for row, kind in enumerate(roster.kinds):
        for region, load in loads.get(kind, {}).items():
            at = roster.atlas.index.get(region)
            if at is not None:
                said[row, at] = load
    return said


def by_name(roster: Roster, said: F64) -> dict[str, dict[str, float]]:
    """The same by kind and region."""
    names = roster.atlas.names
    return {
        kind: dict(zip(names, said[row].tolist(), strict=True))
        for row, kind in enumerate(roster.kinds)
    }
