"""How full regions are, for each kind of session; with play, so that it does not flutter. Pure."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from control_plane.fleet.roster import I32, Roster

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

PLAY = 0.05
"""Between the load and what is said of it. What begins at a threshold ends only when the load is so
much below it. More moves callers back and forth less often, and lets them stay away longer."""

Loads = Mapping[str, Mapping[str, float]]
"""By kind and region."""


def with_play(before: F64, load: F64) -> F64:
    """What is said of a load: what was said before, as long as that is at most 0.05 too high."""
    said: F64 = np.clip(before, load, load + PLAY)
    return said


def regions_load(roster: Roster, open_nodes: Mask, held: I32, fits: I32) -> F64:
    """The share of seats that is taken: held / (held + fits) over nodes that take sessions.

    Args:
        roster: the nodes.
        open_nodes: shape (n,), those that are ready and hot.
        held: shape (n,).
        fits: shape (kinds, n).

    Returns:
        Shape (kinds, regions); 1 where nobody offers the kind, or has a seat, taken or free.
    """
    count = len(roster.atlas.names)
    load = np.ones((len(roster.kinds), count))
    for kind, offers in enumerate(roster.does):
        nodes = (offers & open_nodes).nonzero()[0]
        regions = roster.region.take(nodes)
        taken = np.bincount(regions, held.take(nodes), count)
        seats = taken + np.bincount(regions, fits[kind].take(nodes), count)
        np.divide(taken, seats, out=load[kind], where=seats > 0)
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
