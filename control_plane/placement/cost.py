"""What a node costs a caller, in milliseconds; each part is shown beside the sum."""

import numpy as np

from control_plane.fleet.roster import I32, Index
from control_plane.fleet.view import F64, FleetView

CHUNKS_A_STEP = 8
"""Chunks that one step is taken to work off. Fewer make a queue weigh more."""
FULL_MS = 20.0
"""What the last seat of a node costs over the first of an empty one: 1,500 km of distance. It
grows with the square of the share that is taken, so half-full nodes are hardly avoided."""

PARTS = ("rtt_ms", "step_ms", "queue_ms", "load_ms")
"""The rows of `cost_parts`."""


def cost_parts(view: FleetView, nodes: Index, rtt_ms: F64, fits: I32) -> F64:
    """The parts of the cost of some nodes.

    Args:
        view: the fleet.
        nodes: shape (k,), indices into the view's columns.
        rtt_ms: shape (k,), the round trip to each.
        fits: shape (k,), sessions of the kind that still fit on each.

    Returns:
        Shape (4, k), milliseconds, rows as in `PARTS`: the round trip; the 95th percentile of the
        node's step; what the waiting chunks take at that pace; and what a fuller node costs.
    """
    step_ms = view.step_p95_ms.take(nodes)
    queue_ms = step_ms * view.queue.take(nodes) / CHUNKS_A_STEP
    held = view.held.take(nodes)
    taken = held / np.maximum(held + fits, 1)
    parts: F64 = np.empty((len(PARTS), len(nodes)))
    parts[0], parts[1], parts[2], parts[3] = rtt_ms, step_ms, queue_ms, FULL_MS * taken * taken
    return parts
