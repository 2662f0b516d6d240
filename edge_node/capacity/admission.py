"""Who may sit down: the node's own count of its seats, held and promised. Pure: time is passed in.

A seat is held by a live session or promised to a ticket (reserved); both count against the limit.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_node.capacity.load import Room
from shared.errors import InvalidMessage, NodeDraining, NodeFull, TicketRefused
from shared.exchange import Reserve

LONGEST_RESERVATION_S = 60.0
"""However long the centre asks for: a seat that nobody comes for is somebody else's."""
_REMEMBERED = 4096  # reservations that are over, so that none of them is granted again


@dataclass(frozen=True, slots=True)
class Reservation:
    """A seat promised to a ticket."""

    ask: Reserve
    until_s: float
    """On the node's monotonic clock."""


class Admission:
    """Seats taken, promised and free; never more than fit.

    Args:
        node: the node's name, for refusals.
        limit: streams that the node carries at once, of any kind.
        changed: told after every change.
    """

    def __init__(self, node: str, limit: int, changed: Callable[[], None] = lambda: None) -> None:
        self._node, self._most = node, limit
        self._room = Room(limit)
        self.changed = changed
        self.held: Counter[str] = Counter()
        """Live sessions by kind."""
        self._reserved: OrderedDict[str, Reservation] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()
        self._draining = False

    # --- what there is ---

    @property
    def limit(self) -> int:
        """Sessions at once, of any kind."""
        return self._room.limit

    @property
    def limited_by_setting(self) -> bool:
        """Whether `max_streams` is the limit, and not the machine."""
        return self._room.limited_by_setting

    @property
    def taken(self) -> int:
        """Live sessions."""
        return self.held.total()

    @property
    def reserved(self) -> int:
        """Seats promised to tickets that have not come."""
        return len(self._reserved)

    @property
    def draining(self) -> bool:
        """Whether nobody new may come."""
        return self._draining

    @draining.setter
    def draining(self, yes: bool) -> None:
        if yes != self._draining:
            self._draining = yes
            self.changed()

    def fits(self, kind: str) -> int:
        """Further sessions of a kind that would find a seat, were all room given to it."""
        return self._room.fits(self._all(), kind)

    def measured(self, capacity: Mapping[str, int]) -> None:
        """Calibration has said how many sessions of each kind the machine carries."""
        self._room = Room(self._most, capacity)
        self.changed()

    # --- callers who come by themselves ---

    def take(self, kind: str = "recognition") -> None:
        """One more stream. Raises NodeFull or NodeDraining, and takes nothing."""
        self._check_room(kind)
        self.held[kind] += 1
        self.changed()

    def leave(self, kind: str = "recognition") -> None:
        """One stream less."""
        if self.held[kind] == 0:
            raise ValueError("a seat was given back that nobody held")
        self.held[kind] -= 1
        self.changed()

    # --- callers whom the centre sends ---

    def reserve(self, ask: Reserve, now_s: float) -> float:
        """Promises a seat; asked again for the same reservation, the promise stands as it is.

        Returns:
            For how long, in seconds from now.

        Raises:
            NodeFull, NodeDraining: nothing is promised.
            InvalidMessage: the reservation is over already.
        """
        self.expire(now_s)
        if (known := self._reserved.get(ask.reservation)) is not None:
            return known.until_s - now_s
        if ask.reservation in self._over:
            raise InvalidMessage(
                "this reservation is over", field="reservation", value=ask.reservation,
                remedy="use a new one",
            )  # fmt: skip
        self._check_room(ask.kind)
        ttl_s = min(max(ask.ttl_s, 0.0), LONGEST_RESERVATION_S)
        self._reserved[ask.reservation] = Reservation(ask, now_s + ttl_s)
        self.changed()
        return ttl_s

    def redeem(self, reservation: str, now_s: float) -> Reserve:
        """The promised seat becomes a held one, also while the node drains: it was promised.

        Raises:
            TicketRefused: used, given back, expired, or never made here.
        """
        self.expire(now_s)
        promised = self._reserved.get(reservation)
        if promised is None:
            used = reservation in self._over
            raise TicketRefused(
                "the ticket was used already, or came too late" if used else "no seat is held",
                field="ticket",
                remedy="ask the control plane for a new ticket",
            )
        self._forget(reservation)
        self.held[promised.ask.kind] += 1
        self.changed()
        return promised.ask

    def release(self, reservation: str) -> bool:
        """Nobody will come; whether there was such a promise.

        One that was never made is over from now on: the word that nobody will come may arrive
        before the request for the seat, which would then be held for nobody.
        """
        there = self._reserved.pop(reservation, None) is not None
        self._note_over(reservation)
        if there:
            self.changed()
        return there

    def expire(self, now_s: float) -> None:
        """Promises that nobody came for are no more."""
        late = [name for name, one in self._reserved.items() if one.until_s <= now_s]
        for name in late:
            self._forget(name)
        if late:
            self.changed()

    # --- inside ---

    def _all(self) -> Counter[str]:
        return self.held + Counter(one.ask.kind for one in self._reserved.values())

    def _check_room(self, kind: str) -> None:
        if self._draining:
            raise NodeDraining(
                "the node takes no new sessions", field="node", value=self._node,
                remedy="use another node",
            )  # fmt: skip
        everyone = self._all()
        if self._room.fits(everyone, kind) <= 0:
            count = everyone.total()
            raise NodeFull(self._node, count, min(self.limit, count))

    def _forget(self, reservation: str) -> None:
        del self._reserved[reservation]
        self._note_over(reservation)

    def _note_over(self, reservation: str) -> None:
        self._over[reservation] = None
        while len(self._over) > _REMEMBERED:
            self._over.popitem(last=False)
