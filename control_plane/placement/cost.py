"""What a node costs a caller, in milliseconds; each part is shown beside the sum."""

import numpy as np

from control_plane.fleet.roster import I32, Index
from control_plane.fleet.view import F64, FleetView

CHUNKS_A_STEP = 8
"""Chunks that one step is taken to work off. Fewer make a queue weigh more."""
FULL_MS = 20.0
"""What the last seat of a node costs over the first of an empty one: 1,500 km of distance. It
grows with the square of the share that is taken, so half-full nodes are hardly avoided."""

PARTS = ("rtt_ms", "step_ms", "queue_ms", "load_ms", "history_ms", "price_ms")
"""The rows of `cost_parts`."""
RISKS = 5
"""So many of them, the first, are what a session may suffer from; the last one is money."""


def cost_parts(view: FleetView, nodes: Index, regions: Index, rtt_ms: F64, fits: I32) -> F64:
    """The parts of the cost of some nodes.

    Args:
        view: the fleet.
        nodes: shape (k,), indices into the view's columns.
        regions: shape (k,), of these nodes.
        rtt_ms: by region.
        fits: by node, sessions of the kind that still fit.

    Returns:
        Shape (6, k), milliseconds, rows as in `PARTS`: the round trip; the 95th percentile of the
        node's step; what the waiting chunks take at that pace; what a fuller node costs; what its
        failures lately cost; and what its region's price weighs.
    """
    parts: F64 = np.empty((len(PARTS), nodes.size))
    step_ms = view.step_p95_ms.take(nodes)
    held = view.held.take(nodes)
    taken = held / np.maximum(held + fits.take(nodes), 1)
    parts[0], parts[1] = rtt_ms.take(regions), step_ms
    parts[2] = step_ms * view.queue.take(nodes) / CHUNKS_A_STEP
    parts[3] = FULL_MS * taken * taken
    parts[4] = view.history_ms.take(nodes)
    atlas = view.roster.atlas
    parts[5] = atlas.price_ms.take(regions) if atlas.has_prices else 0.0
    return parts


def risk_ms(parts_ms: F64, *, conservative: bool) -> F64:
    """What nodes are ranked by: without their price, unless money may outweigh milliseconds."""
    cost_ms: F64 = parts_ms[: RISKS if conservative else len(PARTS)].sum(axis=0)
    return cost_ms
