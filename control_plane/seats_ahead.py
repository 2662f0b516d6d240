"""Gives seats back that were held for sessions which do not come."""

from control_plane.reserving import Reserving
from control_plane.sessions.ahead import Ahead, Going
from shared.clock import wall_ms
from shared.exchange import SessionNote


class SeatsAhead:
    """The seats that are held for sessions on their way to another node."""

    def __init__(self, reserving: Reserving) -> None:
        self._reserving, self._ahead = reserving, Ahead()

    def __len__(self) -> int:
        return len(self._ahead)

    def of(self, session: str) -> Going | None:
        """The seat that is held for a session, if one is."""
        return self._ahead.of(session, wall_ms())

    def take(self, going: Going) -> None:
        """A seat is held; one that was held before is free."""
        self._free(self._ahead.add(going))

    def give_back(self, session: str) -> None:
        """Nobody will come for it."""
        self._free(self._ahead.drop(session))

    def noted(self, note: SessionNote) -> None:
        """What a node says: the session came, or ended, or goes on elsewhere."""
        self._free(self._ahead.noted(note))

    def each_second(self) -> None:
        """Forgets those whose time is up."""
        self._ahead.looked_at(wall_ms())

    def _free(self, going: Going | None) -> None:
        if going is not None and going.until_ms > wall_ms():
            self._reserving.give_back(going.region, going.node, going.session, going.reservation)
