"""Sessions without a connection: who keeps his seat, who is parked, whose time is over (pure)."""

from collections import OrderedDict
from dataclasses import dataclass

from edge_node.sessions.kept import Kept
from edge_node.sessions.states import Seat, SeatEvent


@dataclass(frozen=True, slots=True)
class ParkingRules:
    """How long a session waits for its caller, and how many may."""

    expires_s: float = 120.0
    """Of calls that drop, those that come back at all are back by then."""
    park_after_s: float = 2.0
    """Most come back at once: until then the seat is kept free for them."""
    most: int = 4096
    """Each takes some kilobytes. Beyond it the one that has waited longest is over."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A session that waits for its caller."""

    kept: Kept
    since_s: float
    expires_s: float


@dataclass(frozen=True, slots=True)
class Due:
    """What time has brought: seats that are given back, sessions that are over."""

    park: tuple[str, ...]
    end: tuple[str, ...]


class Parking:
    """All sessions of a node that wait, the longest wait first. Times are of a monotonic clock."""

    def __init__(self, rules: ParkingRules) -> None:
        self.rules = rules
        self._waiting: OrderedDict[str, Paused] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, session: str) -> bool:
        return session in self._waiting

    @property
    def sessions(self) -> frozenset[str]:
        """The names of all."""
        return frozenset(self._waiting)

    @property
    def unfinished(self) -> frozenset[str]:
        """Of those, the ones that are not over: the others wait to have their last words read."""
        waiting = self._waiting.items()
        return frozenset(name for name, one in waiting if one.kept.farewell is None)

    def of(self, session: str) -> Paused | None:
        """The session, if it waits."""
        return self._waiting.get(session)

    def put(self, kept: Kept, now_s: float, expires_s: float | None = None) -> tuple[str, ...]:
        """A session waits from now on. Returns those that are over, to make room for it.

        First those that wait to have their last words read, then those that have waited longest.

        Args:
            kept: what is left of it.
            now_s: the time.
            expires_s: for how long; None for as long as the rules say.
        """
        expires_s = self.rules.expires_s if expires_s is None else expires_s
        self._waiting[kept.session] = Paused(kept, now_s, expires_s)
        self._waiting.move_to_end(kept.session)
        too_many = len(self._waiting) - self.rules.most
        if too_many <= 0:
            return ()
        unfinished = self.unfinished
        return tuple(sorted(self._waiting, key=lambda one: one in unfinished)[:too_many])

    def take(self, session: str) -> Paused:
        """Its caller is back, and it has a seat. Raises KeyError where it does not wait."""
        paused = self._waiting.pop(session)
        seat = paused.kept.seat
        if seat.state is Seat.PARKED:
            seat.take(SeatEvent.UNPARK)
        elif seat.state is Seat.HANDING_OVER:
            seat.take(SeatEvent.KEPT)
        return paused

    def gone(self, session: str) -> Paused | None:
        """It is over, or goes on elsewhere."""
        paused = self._waiting.pop(session, None)
        if paused is not None and paused.kept.seat.state is not Seat.NONE:
            paused.kept.seat.take(SeatEvent.RELEASED)
        return paused

    def handed_over(self, session: str) -> Paused | None:
        """It goes on at another node."""
        paused = self._waiting.pop(session, None)
        if paused is not None and paused.kept.seat.state is not Seat.NONE:
            seat = paused.kept.seat
            if seat.state is not Seat.HANDING_OVER:
                seat.take(SeatEvent.HAND_OVER)
            seat.take(SeatEvent.HANDED_OVER)
        return paused

    def over(self, now_s: float) -> tuple[str, ...]:
        """Those whose time is over."""
        waiting = self._waiting.items()
        return tuple(name for name, one in waiting if one.since_s <= now_s - one.expires_s)

    def due(self, now_s: float) -> Due:
        """Parks whom it is time to park; those whose time is over stay until they are `gone`."""
        since_s = now_s - self.rules.park_after_s
        waiting = self._waiting.items()
        park = [name for name, one in waiting if one.since_s <= since_s and _park(one.kept)]
        return Due(tuple(park), self.over(now_s))


def _park(kept: Kept) -> bool:
    """Whether there was a seat to give back: also of one that was to move, and has not come."""
    if kept.seat.state is Seat.HANDING_OVER:
        kept.seat.take(SeatEvent.KEPT)
    if kept.seat.state is not Seat.HELD:
        return False
    kept.seat.take(SeatEvent.PARK)
    return True
