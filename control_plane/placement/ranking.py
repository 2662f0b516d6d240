"""The order among nodes that may and can: the home region first, then the cheapest."""

from dataclasses import dataclass

import numpy as np

from control_plane.fleet.roster import I32, U8, Index
from control_plane.fleet.view import F64, FleetView
from control_plane.placement.cost import cost_parts
from control_plane.placement.decision import MOST_CANDIDATES
from control_plane.placement.reasons import Reason

MARGIN_MS = 5.0
"""Nodes that cost no more than this over the cheapest are as good. Among them chance has a say, so
that callers who are placed on the same view do not all go to the same node."""
_ABLE = np.uint8(Reason.ABLE)
_OVERFLOW_MS = 1e9
"""More than anything costs: overflow comes after the whole home region."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Able nodes, the winner first, then the rest: home region first, cheapest first.

    Where enough to try stand in the home region, the others are not ranked at all.
    """

    nodes: Index
    """Indices into the view's columns."""
    parts_ms: F64
    """Shape (4, k), as in `cost.PARTS`."""
    at_home: int
    """How many of the first stand in the home region."""
    cheapest: bool
    """Whether the winner is the cheapest of its class, and not chosen by chance."""


def rank(view: FleetView, reasons: U8, home: int, rtt_ms: F64, room: I32, draw: float) -> Ranking:
    """The able nodes in the order in which they should be tried.

    Args:
        view: the fleet.
        reasons: `ABLE` for the nodes to rank.
        home: the home region, as an index into the atlas.
        rtt_ms: by region.
        room: sessions of the kind that fit, by node.
        draw: from 0 up to 1.
    """
    nodes = (reasons == _ABLE).nonzero()[0]
    regions = view.roster.region.take(nodes)
    here = regions == home
    at_home = int(np.count_nonzero(here))
    if MOST_CANDIDATES <= at_home < nodes.size:
        nodes, regions, here = nodes.compress(here), regions.compress(here), here.compress(here)
    parts = cost_parts(view, nodes, rtt_ms.take(regions), room.take(nodes))
    key = parts.sum(axis=0)
    key[~here] += _OVERFLOW_MS
    order = key.argsort(kind="stable")  # the columns are in the order of names
    if order.size:
        key = key.take(order)
        as_good = int(key.searchsorted(key[0] + MARGIN_MS, side="right"))
        chosen = _of_two(as_good, draw, key)
        order = np.concatenate((order[chosen : chosen + 1], order[:chosen], order[chosen + 1 :]))
    else:
        chosen = 0
    return Ranking(nodes.take(order), parts.take(order, axis=1), at_home, chosen == 0)


def _of_two(count: int, draw: float, key: F64) -> int:
    """The cheaper of two that are drawn, each from all: the first drawn where they cost the same.

    They may be the same one. Were they always two, of two nodes the cheaper would get everybody.
    """
    first = int(draw * count)
    second = int((draw * count - first) * count)
    return second if key[second] < key[first] else first
