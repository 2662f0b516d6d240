"""A session is three small machines, each a table. A missing row is an illegal event.

link     is somebody on the line?
seat     does the session hold a slot on a device?
stream   how far is the conversation?
"""

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar


class Link(Enum):
    """The connection to the caller."""

    ATTACHED = "attached"
    DETACHED = "detached"


class LinkEvent(Enum):
    """What happens to a connection."""

    LOST = "lost"
    RESUMED = "resumed"


class Seat(Enum):
    """The session's slot on a device."""

    NONE = "none"
    HELD = "held"
    PARKED = "parked"
    HANDING_OVER = "handing over"


class SeatEvent(Enum):
    """What happens to a slot."""

    GRANTED = "granted"
    PARK = "park"
    UNPARK = "unpark"
    HAND_OVER = "hand over"
    HANDED_OVER = "handed over"
    KEPT = "kept"
    RELEASED = "released"


class Stream(Enum):
    """The conversation itself."""

    OPENING = "opening"
    LIVE = "live"
    FINISHING = "finishing"
    ENDED = "ended"


class StreamEvent(Enum):
    """What happens to a conversation."""

    STARTED = "started"
    FINISH = "finish"
    END = "end"


LINK_TABLE: Mapping[tuple[Link, LinkEvent], Link] = {
    (Link.ATTACHED, LinkEvent.LOST): Link.DETACHED,
    (Link.DETACHED, LinkEvent.RESUMED): Link.ATTACHED,
}

SEAT_TABLE: Mapping[tuple[Seat, SeatEvent], Seat] = {
    (Seat.NONE, SeatEvent.GRANTED): Seat.HELD,
    (Seat.HELD, SeatEvent.PARK): Seat.PARKED,
    (Seat.PARKED, SeatEvent.UNPARK): Seat.HELD,
    (Seat.HELD, SeatEvent.HAND_OVER): Seat.HANDING_OVER,
    (Seat.PARKED, SeatEvent.HAND_OVER): Seat.HANDING_OVER,
    (Seat.HANDING_OVER, SeatEvent.HANDED_OVER): Seat.NONE,
    (Seat.HANDING_OVER, SeatEvent.KEPT): Seat.HELD,
    (Seat.HELD, SeatEvent.RELEASED): Seat.NONE,
    (Seat.PARKED, SeatEvent.RELEASED): Seat.NONE,
    (Seat.HANDING_OVER, SeatEvent.RELEASED): Seat.NONE,
}

STREAM_TABLE: Mapping[tuple[Stream, StreamEvent], Stream] = {
    (Stream.OPENING, StreamEvent.STARTED): Stream.LIVE,
    (Stream.OPENING, StreamEvent.END): Stream.ENDED,
    (Stream.LIVE, StreamEvent.FINISH): Stream.FINISHING,
    (Stream.LIVE, StreamEvent.END): Stream.ENDED,
    (Stream.FINISHING, StreamEvent.END): Stream.ENDED,
}

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class IllegalEvent(Exception):
    """An event that the table has no row for; nothing has changed."""

    def __init__(self, state: Enum, event: Enum) -> None:
        super().__init__(
            f"{type(state).__name__.lower()} is {state.value}: cannot take {event.value!r}"
        )
        self.state, self.event = state, event


class Machine(Generic[S, E]):
    """A state and the table it moves by."""

    def __init__(self, start: S, table: Mapping[tuple[S, E], S]) -> None:
        self.state = start
        self._table = table

    def allows(self, event: E) -> bool:
        """Whether the table has a row."""
        return (self.state, event) in self._table

    def take(self, event: E) -> S:
        """Moves, and returns the new state. Raises IllegalEvent, with nothing changed."""
        after = self._table.get((self.state, event))
        if after is None:
            raise IllegalEvent(self.state, event)
        self.state = after
        return after
