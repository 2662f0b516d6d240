"""The ranked nodes of a decision, with all that their order was made from."""

import msgspec
import numpy as np

from control_plane.fleet.roster import I32, U8
from control_plane.fleet.view import F64, FleetView
from control_plane.placement.cost import PARTS
from control_plane.placement.ranking import Ranking


class Ranked(msgspec.Struct, frozen=True, eq=False):
    """The first of the able nodes, best first: at most 64. 77 bytes each."""

    nodes: I32
    """Indices into the roster."""
    classes: U8
    """`classes.classes_of`, and 3 more for a node that stands back."""
    parts_ms: F64
    """Shape (6, k): what each of them costs, rows as in `cost.PARTS`."""
    room: I32
    """Sessions of the kind that fitted."""
    held: I32
    limit: I32
    queue: I32
    share: F64

    @property
    def nbytes(self) -> int:
        """Of all columns."""
        columns = (self.nodes, self.classes, self.parts_ms, self.room, self.held, self.limit,
                   self.queue, self.share)  # fmt: skip
        return sum(column.nbytes for column in columns)


def ranked_of(view: FleetView, ranking: Ranking, room: I32) -> Ranked:
    """What is kept of a ranking.

    Args:
        view: that it was made on.
        ranking: the order.
        room: by node, sessions of the kind that fit.
    """
    nodes = ranking.nodes
    return Ranked(
        nodes=nodes.astype(np.int32),
        classes=ranking.classes,
        parts_ms=ranking.parts_ms,
        room=room.take(nodes),
        held=view.held.take(nodes),
        limit=view.limit.take(nodes),
        queue=view.queue.take(nodes),
        share=view.share.take(nodes),
    )


_NONE = np.zeros(0, np.int32)
NOBODY = Ranked(
    _NONE, np.zeros(0, np.uint8), np.zeros((len(PARTS), 0)), _NONE, _NONE, _NONE, _NONE, np.zeros(0)
)
"""Of a refusal."""
