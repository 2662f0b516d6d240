"""All that a fleet knows, as a value that can be written down and taken up again."""

import msgspec

from control_plane.fleet.boots import Boots
from control_plane.fleet.holds import Hold
from control_plane.fleet.past import Past
from shared.capacity import CapacityReport
from shared.regions.model import World


class Since(msgspec.Struct):
    """What a node's answers to reservations said of it since its last report."""

    silent: bool = False
    draining: bool = False
    full: set[str] = msgspec.field(default_factory=set)
    """Kinds of which no further session fits."""


class MemberState(msgspec.Struct, frozen=True):
    """One node."""

    report: CapacityReport
    boots: Boots
    waiting: list[Hold]
    since: Since
    past: Past


class FleetState(msgspec.Struct, frozen=True):
    """The whole fleet at one moment."""

    world: World
    began_s: float
    now_s: float
    most_nodes: int
    view: int
    """The number of the view at that moment; 0 where none was taken yet."""
    holds: int
    """How many seats were ever asked for."""
    members: list[MemberState]
    gone: dict[str, str]
    """The boot that said goodbye, by node."""
    missing: list[str]
    """Nodes that died and were forgotten since."""
    loads: dict[str, dict[str, float]]
    """What is said of the load of regions, by kind; empty where no view was taken yet."""
