"""Who comes first among nodes that may and can: home, overflow, and those that stand back. Pure.

    home does not spill        home | overflow
    home spills                overflow that is not loaded itself | home | other overflow

Nodes that stand back come after all of these, in the same order among themselves. So standing back
never refuses anybody, and never sends anybody where the policy does not.
"""

import numpy as np

from control_plane.fleet.roster import U8, Index
from control_plane.fleet.view import F64, FleetView
from shared.policy import ROUNDING

CLASSES = 3
"""Of nodes that do not stand back; those that do have a number so much higher."""
_BACK = np.uint8(CLASSES)


def spills(load: F64, home: int, from_load: float) -> bool:
    """Whether overflow begins though there may be room at home."""
    return from_load < 1.0 and bool(load[home] >= from_load - ROUNDING)


def region_classes(load: F64, home: int, from_load: float, *, spilling: bool) -> U8:
    """The class of nodes by region; only of regions in reach does it mean anything."""
    if not spilling:
        classes = np.ones(load.size, np.uint8)
        classes[home] = 0
        return classes
    classes = np.where(load < from_load - ROUNDING, np.uint8(0), np.uint8(2))
    classes[home] = 1
    return classes


def stand_back(view: FleetView, nodes: Index, classes: U8, ramp: float) -> U8:
    """The classes of nodes, with those that failed lately behind for this draw.

    Args:
        view: the fleet.
        nodes: indices into it.
        classes: of the nodes, as if they stood well.
        ramp: from 0 up to 1: a node of a lesser or equal share stands back.
    """
    if not view.ramping:
        return classes
    share = view.share.take(nodes)
    back = (share < 1.0) & (share <= ramp)
    return classes + _BACK * back.astype(np.uint8)


def stands_back(class_: int) -> bool:
    """Whether a node's class says so."""
    return class_ >= CLASSES
