"""Callers who come back for their seat: their order stays in line, its end is kept for them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from control_plane.ending import Ending
from control_plane.ids import random_id
from control_plane.orders import Order
from control_plane.placing import Placer, never
from control_plane.waiting.forecasts import FIRST_S, Forecasts
from control_plane.waiting.hall import Gone, Turn, Waiting
from control_plane.waiting.news import is_news
from heliovox.protocol.control import InLine, NearestView, Placed
from shared.clock import Clock
from shared.errors import NoRoom, NotFound, VoiceError
from shared.tasks import Tasks

MOST = 2048
"""Orders in line, and ends that nobody has come for. Some 10 kB each."""
KEPT_S = 30.0
"""A refusal is kept so long; a seat for as long as its ticket is good."""
LOOK_EVERY_S = 1.0
"""How often somebody who waits for news is looked at."""
SILENT_S = 60.0
"""A caller who said that he follows his wait, and does not look at it, is gone."""


@dataclass(slots=True, eq=False)
class _Order:
    """One that is in line, or was."""

    id: str
    owner: tuple[str, ...]
    turn: Turn
    until_s: float
    """In line by then; later, its end is kept until then."""
    silent_s: float | None
    """He is gone who does not look for so long; None where he may come when he likes."""
    seen_s: float
    said: InLine
    """As it was told last."""
    said_s: float
    over: bool = False


class CallBacks:
    """Places at once where there is a seat, else keeps the order in line.

    Args:
        ending: gives seats back that nobody wants any more.
        tasks: own what goes on after an answer.
        most: orders.
    """

    def __init__(
        self,
        *,
        placer: Placer,
        waiting: Waiting,
        forecasts: Forecasts,
        ending: Ending,
        clock: Clock,
        tasks: Tasks,
        most: int = MOST,
    ) -> None:
        self._placer, self._waiting, self._forecasts = placer, waiting, forecasts
        self._ending, self._clock, self._tasks, self._most = ending, clock, tasks, most
        self._orders: dict[str, _Order] = {}

    def __len__(self) -> int:
        return len(self._orders)

    async def place(self, order: Order, gone: Gone = never) -> Placed | InLine:
        """A seat, or a place in line where the policy calls back. Raises VoiceError."""
        when_full = order.policy.when_full
        if when_full == "refuse" or not (when_full == "call_back" or order.comes_back):
            return await self._placer.place(order, gone)
        silent_s = None if when_full == "call_back" else SILENT_S
        return await self.stand(order, (order.facts.tenant,), silent_s, gone)

    async def stand(
        self,
        order: Order,
        owner: tuple[str, ...],
        silent_s: float | None,
        gone: Gone = never,
        *,
        first_s: float = FIRST_S,
    ) -> Placed | InLine:
        """Likewise, under any policy that does not refuse.

        Args:
            order: what for.
            owner: who may look at it.
            silent_s: without a look for so long it is given up; None for never.
            gone: whether who asks is not there any more, while he is answered.
            first_s: how long the answer waits for the first estimate.
        """
        found = await self._placer.at_once(order, gone)
        if isinstance(found, Placed):
            return found
        kept = self._begin(order, found, owner, silent_s)
        kept.said = await self._now(kept, first_s)
        return kept.said

    async def look(
        self, waiting: str, owner: tuple[str, ...], wait_s: float, after: int | None = None
    ) -> Placed | InLine:
        """How it stands, after `wait_s` at the latest.

        Args:
            waiting: the wait's name.
            owner: who asks.
            wait_s: how long to wait for something to say.
            after: the version that is known: another place in line is something to say too.

        Raises:
            NotFound: no such wait of this owner, or its seat's time was up.
            VoiceError: the refusal that it ended with.
        """
        order = self._of(waiting, owner)
        until_s = self._clock.now_s() + wait_s
        while not order.turn.end.done():
            order.seen_s = now_s = self._clock.now_s()
            said = await self._in_line(order)
            if order.turn.end.done():
                break
            left_s = until_s - now_s
            if left_s <= 0 or (after is not None and said.version > after):
                return said
            pause_s = left_s if after is None else min(LOOK_EVERY_S, left_s)
            await asyncio.wait([order.turn.end], timeout=min(pause_s, SILENT_S / 4))
        return self._end_of(order)

    async def leave(self, waiting: str, owner: tuple[str, ...]) -> None:
        """Ends the wait; a seat that is held by now is given back. Raises NotFound, BusFailed."""
        await self._drop(self._of(waiting, owner))

    def nearest(self, order: Order, most: int) -> Sequence[NearestView]:
        """Where it would go; nobody stands in line for that. Raises VoiceError."""
        return self._placer.nearest(order, most)

    def each_second(self) -> None:
        """Gives up the places of those who have not looked for too long."""
        self._forget()
        now_s = self._clock.now_s()
        for order in list(self._orders.values()):
            if order.silent_s is not None and now_s - order.seen_s > order.silent_s:
                _ = self._tasks.begin(self._dropped(order), "a wait that nobody follows")

    def _begin(
        self, order: Order, full: NoRoom, owner: tuple[str, ...], silent_s: float | None
    ) -> _Order:
        self._forget()
        if len(self._orders) >= self._most:
            self._placer.outcomes[full.code] += 1
            raise full
        try:
            turn = self._placer.stand(order, full)
        except NoRoom as error:
            self._placer.outcomes[error.code] += 1
            raise
        now_s, wait_s = self._clock.now_s(), order.policy.wait_s
        first = InLine(random_id(), wait_s, self._waiting.queue.position(turn.number))
        kept = _Order(first.waiting, owner, turn, now_s + wait_s, silent_s, now_s, first, now_s)
        self._orders[kept.id] = kept
        turn.end.add_done_callback(lambda _: self._over(kept))
        return kept

    def _over(self, kept: _Order) -> None:
        if kept.turn.end.cancelled():
            return
        error, now_s = kept.turn.end.exception(), self._clock.now_s()
        if isinstance(error, VoiceError):
            self._placer.outcomes[error.code] += 1
        kept.over, kept.until_s = True, now_s + KEPT_S
        if error is None:
            self._placer.outcomes["placed"] += 1
            kept.until_s = now_s + kept.turn.end.result().expires_s

    def _end_of(self, order: _Order) -> Placed:
        """Raises VoiceError."""
        placed: Placed = order.turn.end.result()
        left_s = order.until_s - self._clock.now_s()
        return msgspec.structs.replace(placed, expires_s=round(max(0.0, left_s), 3))

    def _of(self, waiting: str, owner: tuple[str, ...]) -> _Order:
        self._forget()
        order = self._orders.get(waiting)
        if order is None or order.owner != owner:  # others' are as unknown as none
            raise NotFound(
                "nobody waits under this name",
                field="waiting",
                value=waiting,
                remedy="a seat that nobody came for is given to others: ask for a session again",
            )
        return order

    async def _in_line(self, order: _Order) -> InLine:
        """As it is now; a new version where that is news."""
        now = await self._now(order)
        passed_s = self._clock.now_s() - order.said_s
        if is_news(order.said, now, passed_s):
            now = msgspec.structs.replace(now, version=order.said.version + 1)
            order.said, order.said_s = now, self._clock.now_s()
        return now

    async def _now(self, order: _Order, within_s: float = FIRST_S) -> InLine:
        estimate = await self._forecasts.of(order.turn, within_s)
        position = order.said.position
        if order.turn.number in self._waiting.queue:
            position = self._waiting.queue.position(order.turn.number)
        left_s = round(max(0.0, order.until_s - self._clock.now_s()), 3)
        return InLine(order.id, left_s, position, estimate, order.said.version)

    async def _drop(self, order: _Order) -> None:
        self._orders.pop(order.id, None)
        end = order.turn.end
        if not end.done():
            self._waiting.leave(order.turn)
        elif not end.cancelled() and end.exception() is None:
            await self._ending.give_back(end.result().session)

    async def _dropped(self, order: _Order) -> None:
        try:
            await self._drop(order)
        except VoiceError:
            return  # the seat's time will be up

    def _forget(self) -> None:
        now_s = self._clock.now_s()
        over = [one.id for one in self._orders.values() if one.over and one.until_s <= now_s]
        for name in over:
            del self._orders[name]
