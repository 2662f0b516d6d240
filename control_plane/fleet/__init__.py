"""What the centre knows of every node: reports and time in, an immutable, numbered view out."""

from control_plane.fleet.fleet import Fleet
from control_plane.fleet.heard import Heard, HeardCode
from control_plane.fleet.holds import Hold
from control_plane.fleet.roster import Offer, Roster
from control_plane.fleet.states import State
from control_plane.fleet.view import FleetView

__all__ = ["Fleet", "FleetView", "Heard", "HeardCode", "Hold", "Offer", "Roster", "State"]
