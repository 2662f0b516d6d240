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


def classes_of(regions: Index, load: F64, home: int, from_load: float, *, spilling: bool) -> U8:
    """The class of nodes as if none stood back.

    Args:
        regions: of the nodes, all of them in reach.
        load: by region.
        home: the home region.
        from_load: overflow begins there.
        spilling: whether it has begun.
    """
    classes: U8
    if not spilling:
        classes = (regions != home).view(np.uint8)
        return classes
    of_region = np.where(load < from_load - ROUNDING, np.uint8(0), np.uint8(2))
    of_region[home] = 1
    classes = of_region.take(regions)
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
    back = view.share.take(nodes) <= ramp  # the draw is less than 1, so a share of 1 never is
    return classes + _BACK * back.view(np.uint8) if back.any() else classes


def stands_back(class_: int) -> bool:
    """Whether a node's class says so."""
    return class_ >= CLASSES
