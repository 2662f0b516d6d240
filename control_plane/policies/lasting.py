"""How long sessions last: whose seat is other than recorded until then, and what it costs. Pure."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from control_plane.policies.orders import Order, Seat
from control_plane.policies.seats import Seats
from control_plane.policies.tally import Counts
from control_plane.records.contents import Noted

NEVER_CAME_MS = 60_000
"""A session of which nothing is noted so long after its seat was held is none: tickets are good
for 30 s."""
MOST_MS = 6 * 3_600_000
"""A session that no end is noted of is over by then."""
_HOUR_MS = 3_600_000.0


@dataclass(slots=True, eq=False)
class _Lasting:
    """A session on both sides, until it ends."""

    order: Order
    counts: Counts
    until_ms: int
    """As far as is known."""
    began_ms: int | None = None
    freed: Seat | None = None
    """That is empty where the recorded session had it."""
    taken: Seat | None = None


class Lasting:
    """Follows sessions from their seats to their ends.

    Args:
        seats: that are other than recorded.
        mean_ms: how long a session lasts of which nothing is noted.
    """

    def __init__(self, seats: Seats, mean_ms: int) -> None:
        self._seats, self._mean_ms = seats, mean_ms
        self._live: dict[str, _Lasting] = {}
        self._due: list[tuple[int, int, _Lasting, str | None]] = []
        self._of_order: dict[Order, _Lasting] = {}
        self._pushed = 0
        self._noted = False
        """Whether anything was ever noted."""
        self._noted_ms = self._noted_count = 0

    def seated(self, order: Order, counts: Counts, now_ms: int) -> None:
        """An order got a seat on one side, or on both at once."""
        one = self._of_order.get(order)
        if one is None:
            one = self._of_order[order] = _Lasting(order, counts, now_ms + self._guess_ms())
            self._push(one, order.session)
        if order.session is not None and order.session not in self._live:
            self._live[order.session] = one
            self._push(one, order.session)
        self._exchange(one)

    def noted(self, note: Noted) -> None:
        """A session began, or ended."""
        self._noted = True
        one = self._live.get(note.session)
        if one is None:
            return
        if note.event == "started":
            one.began_ms, one.until_ms = note.at_ms, note.at_ms + MOST_MS
            return
        one.began_ms = one.began_ms or _seat_ms(one.order)
        self._learn(max(0, note.at_ms - one.began_ms))
        one.until_ms = note.at_ms + _later_ms(one.order)
        self._push(one, note.session)

    def passed(self, now_ms: int) -> None:
        """Whoever should be over by now is."""
        while self._due and self._due[0][0] <= now_ms:
            _, _, one, session = heapq.heappop(self._due)
            if self._of_order.get(one.order) is not one:
                continue
            if one.until_ms > now_ms:
                self._push(one, session)
            else:
                self._end(one)

    def restarted(self, node: str) -> None:
        """The sessions of a node are gone: nothing of theirs is held or free there."""
        for one in tuple(self._of_order.values()):
            if one.freed is not None and one.freed.node == node:
                self._add(one.freed, one, 1)
                one.freed = None
            if one.taken is not None and one.taken.node == node:
                self._add(one.taken, one, -1)
                one.taken = None

    def finish(self, now_ms: int) -> None:
        """The log ends here, and all who are still there with it."""
        for one in tuple(self._of_order.values()):
            one.until_ms = min(one.until_ms, max(now_ms, _seat_ms(one.order)))
            self._end(one)

    def _guess_ms(self) -> int:
        return NEVER_CAME_MS if self._noted else self.mean_ms

    @property
    def mean_ms(self) -> int:
        """Of sessions that ended so far, or what was said."""
        return self._noted_ms // self._noted_count if self._noted_count else self._mean_ms

    def _learn(self, length_ms: int) -> None:
        self._noted_ms, self._noted_count = self._noted_ms + length_ms, self._noted_count + 1

    def _exchange(self, one: _Lasting) -> None:
        """Frees the recorded seat and takes the other, where they are not the same."""
        before, after = one.order.recorded.seat, one.order.proposed.seat
        if before is not None and after is not None and before.node == after.node:
            return
        if before is not None and one.freed is None:
            one.freed = before
            self._add(before, one, -1)
        if after is not None and one.taken is None:
            one.taken = after
            self._add(after, one, 1)
            if before is None and not one.order.recorded.over:
                one.until_ms = max(one.until_ms, after.at_ms + self.mean_ms)

    def _add(self, seat: Seat, one: _Lasting, count: int) -> None:
        self._seats.add(seat.node, seat.region, one.order.first.ask.kind, count)

    def _push(self, one: _Lasting, session: str | None) -> None:
        self._pushed += 1
        heapq.heappush(self._due, (one.until_ms, self._pushed, one, session))

    def _end(self, one: _Lasting) -> None:
        del self._of_order[one.order]
        if one.order.session is not None:
            self._live.pop(one.order.session, None)
        for seat, count in ((one.freed, 1), (one.taken, -1)):
            if seat is not None:
                self._add(seat, one, count)
        self._pay(one)

    def _pay(self, one: _Lasting) -> None:
        """Seat by seat, for as long as the session was there."""
        before, after = one.order.recorded.seat, one.order.proposed.seat
        came = one.began_ms is not None or not self._noted or before is None
        if not came:
            return
        length_ms = self.mean_ms if one.began_ms is None else max(
            0, one.until_ms - _later_ms(one.order) - one.began_ms
        )  # fmt: skip
        hours = length_ms / _HOUR_MS
        one.counts.cost_before_usd += hours * (before.usd_per_h if before else 0.0)
        one.counts.cost_after_usd += hours * (after.usd_per_h if after else 0.0)


def _seat_ms(order: Order) -> int:
    seats: Iterable[Seat | None] = (order.recorded.seat, order.proposed.seat)
    return min(seat.at_ms for seat in seats if seat is not None)


def _later_ms(order: Order) -> int:
    """Whoever begins later ends later."""
    before, after = order.recorded.seat, order.proposed.seat
    return max(0, after.at_ms - before.at_ms) if before is not None and after is not None else 0
