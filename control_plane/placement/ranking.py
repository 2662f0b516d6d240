"""The order among nodes that may and can: by class, then the cheapest."""

import msgspec
import numpy as np

from control_plane.fleet.roster import I32, U8, Index
from control_plane.fleet.view import F64, FleetView
from control_plane.placement.cost import RISKS, cost_parts, risk_ms

MOST_CANDIDATES = 8
"""The winner and those to try after it."""
MARGIN_MS = 5.0
"""Nodes that cost no more than this over the cheapest are as good. Among them chance has a say, so
that callers who are placed on the same view do not all go to the same node, and money."""
MOST_RANKED = 64
"""Nodes whose cost is kept with the decision. The rest is not put in order."""


class Able(msgspec.Struct, frozen=True, eq=False):
    """The nodes to rank, in the order of their names."""

    nodes: Index
    """Indices into the view's columns; at least one."""
    regions: Index
    classes: U8
    """The lowest goes first."""


class Ranking(msgspec.Struct, frozen=True, eq=False):
    """Able nodes, the winner first, then the rest: by class, the cheapest first.

    At most 64; where the best classes hold enough to try, none of the others.
    """

    nodes: Index
    classes: U8
    parts_ms: F64
    """Shape (6, k), as in `cost.PARTS`."""
    cheapest: bool
    """Whether the winner is the cheapest of its class, and not chosen by chance or money."""


def rank(
    view: FleetView, able: Able, rtt_ms: F64, room: I32, draw: float, *, conservative: bool
) -> Ranking:
    """The able nodes in the order in which they should be tried.

    Args:
        view: the fleet.
        able: the nodes.
        rtt_ms: by region.
        room: by node, sessions of the kind that fit.
        draw: from 0 up to 1.
        conservative: the price chooses only among nodes that are as good without it.
    """
    able, first = _best_classes(able)
    parts = cost_parts(view, able.nodes, able.regions, rtt_ms, room)
    risk = risk_ms(parts, conservative=conservative)
    order = _order(able.classes, risk)
    sorted_risk = risk.take(order)
    as_good = int(sorted_risk[:first].searchsorted(sorted_risk[0] + MARGIN_MS, side="right"))
    score = sorted_risk
    if conservative and view.roster.atlas.has_prices:
        score = sorted_risk + parts[RISKS].take(order)
    chosen = _of_two(as_good, draw, score)
    if chosen:
        order[1 : chosen + 1], order[0] = order[:chosen].copy(), order[chosen]
    order = order[:MOST_RANKED]
    nodes, classes = able.nodes.take(order), able.classes.take(order)
    return Ranking(nodes, classes, parts.take(order, axis=1), cheapest=chosen == 0)


def _best_classes(able: Able) -> tuple[Able, int]:
    """Those of the lowest classes that hold enough to try, and how many the very lowest holds."""
    counts = np.bincount(able.classes).tolist()
    first, enough = next(count for count in counts if count), 0
    while enough < len(counts) - 1 and sum(counts[: enough + 1]) < MOST_CANDIDATES:
        enough += 1
    if enough == len(counts) - 1:
        return able, first
    best = able.classes <= enough
    nodes, regions = able.nodes.compress(best), able.regions.compress(best)
    return Able(nodes, regions, able.classes.compress(best)), first


def _order(classes: U8, risk: F64) -> Index:
    """By class, risk, name. Where there are many, only as many of the last class as matter."""
    order: Index
    if risk.size <= 2 * MOST_RANKED:
        order = np.lexsort((risk, classes))
        return order
    last = classes == classes.max()
    of_last = risk.compress(last)
    enough = of_last.min() + MARGIN_MS
    if of_last.size > MOST_RANKED:
        enough = max(enough, np.partition(of_last, MOST_RANKED)[MOST_RANKED])
    matter = (~last | (risk <= enough)).nonzero()[0]
    order = matter.take(np.lexsort((risk.take(matter), classes.take(matter))))
    return order


def _of_two(count: int, draw: float, score: F64) -> int:
    """The cheaper of two that are drawn, each from all: the first drawn where they cost the same.

    They may be the same one. Were they always two, of two nodes the cheaper would get everybody.
    """
    first = int(draw * count)
    second = int((draw * count - first) * count)
    return second if score[second] < score[first] else first
