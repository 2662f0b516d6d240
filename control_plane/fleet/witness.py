"""Who is told of everything that ever goes into a fleet, so that it can be gone through again."""

from control_plane.fleet.state import FleetState
from control_plane.fleet.view import FleetView
from control_plane.fleet.words import Words
from shared.capacity import CapacityReport
from shared.regions.model import World


class Witness:
    """Is told of inputs, in order. This one forgets them.

    Others must not raise, must not call back, and must not keep what they are handed: it changes.
    """

    def snapshot(self, state: FleetState) -> None:
        """The fleet begins, or is as it is."""

    def used(self, world: World) -> None:
        """`Fleet.use`."""

    def reported(self, report: CapacityReport, words: Words, now_s: float) -> None:
        """`Fleet.reported`, for a report that is well formed, and its words."""

    def held_back(self, node: str, kind: str, now_s: float) -> None:
        """`Fleet.held_back`, for a node that is known: the next hold."""

    def granted(self, hold: int, taken: int) -> None:
        """`Fleet.granted`, by the hold's number."""

    def refused(self, hold: int, code: str | None) -> None:
        """`Fleet.refused`."""

    def silent(self, hold: int) -> None:
        """`Fleet.silent`."""

    def released(self, hold: int) -> None:
        """`Fleet.released`."""

    def reached(self, node: str, now_s: float, *, reachable: bool) -> None:
        """`Fleet.reached`, where it said something new."""

    def looked(self, view: FleetView, now_s: float) -> None:
        """`Fleet.view`, where it gave a view with another number than before."""
