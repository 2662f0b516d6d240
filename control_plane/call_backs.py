"""Callers who come back for their seat: their order stays in line, its end is kept for them."""

import asyncio
from collections.abc import Coroutine, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from control_plane.ending import Ending
from control_plane.ids import random_id
from control_plane.orders import Order
from control_plane.placing import Gone, Placer, behind_others, line_of, never
from control_plane.waiting import Waiting
from heliovox.protocol.control import InLine, NearestView, Placed
from shared.clock import Clock
from shared.errors import NoRoom, NotFound, VoiceError
from shared.tasks import Tasks

MOST = 2048
"""Orders in line, and ends that nobody has come for. Some 10 kB each."""
KEPT_S = 30.0
"""A refusal is kept so long; a seat for as long as its ticket is good."""


@dataclass(slots=True, eq=False)
class _Order:
    """One that is in line, or was."""

    id: str
    tenant: str
    line: Hashable
    until_s: float
    """In line by then; later, its end is kept until then."""
    end: asyncio.Future[Placed]
    task: asyncio.Task[None] | None = None


class CallBacks:
    """Places at once where there is a seat, else keeps the order in line.

    Args:
        ending: gives seats back that nobody wants any more.
        tasks: own the orders in line.
        most: orders.
    """

    def __init__(
        self,
        placer: Placer,
        waiting: Waiting,
        ending: Ending,
        clock: Clock,
        tasks: Tasks,
        most: int = MOST,
    ) -> None:
        self._placer, self._waiting, self._ending = placer, waiting, ending
        self._clock, self._tasks, self._most = clock, tasks, most
        self._orders: dict[str, _Order] = {}

    def __len__(self) -> int:
        return len(self._orders)

    async def place(self, order: Order, gone: Gone = never) -> Placed | InLine:
        """A seat, or a place in line where the policy calls back. Raises VoiceError."""
        if order.policy.when_full != "call_back":
            return await self._placer.place(order, gone)
        full, line = behind_others(order), line_of(order)
        if not self._waiting.busy(line):
            try:
                placed = await self._placer.attempt(order, gone)
            except NoRoom as error:
                full = error
            except VoiceError as error:
                self._placer.outcomes[error.code] += 1
                raise
            else:
                self._placer.outcomes["placed"] += 1
                return placed
        return self._begin(order, line, full)

    async def look(self, waiting: str, tenant: str, wait_s: float) -> Placed | InLine:
        """How it stands, after `wait_s` at the latest.

        Raises:
            NotFound: no such wait of this tenant, or its seat's time was up.
            VoiceError: the refusal that it ended with.
        """
        order = self._of(waiting, tenant)
        if not order.end.done() and wait_s > 0:
            await asyncio.wait([order.end], timeout=wait_s)
        if not order.end.done():
            return self._in_line(order)
        placed = order.end.result()
        left_s = order.until_s - self._clock.now_s()
        return msgspec.structs.replace(placed, expires_s=round(max(0.0, left_s), 3))

    async def leave(self, waiting: str, tenant: str) -> None:
        """Ends the wait; a seat that is held by now is given back. Raises NotFound, BusFailed."""
        order = self._of(waiting, tenant)
        del self._orders[waiting]
        if order.task is not None and not order.end.done():
            order.task.cancel()
        elif order.end.exception() is None:
            await self._ending.give_back(order.end.result().session)

    def nearest(self, order: Order, most: int) -> Sequence[NearestView]:
        """Where it would go; nobody stands in line for that. Raises VoiceError."""
        return self._placer.nearest(order, most)

    def _begin(self, order: Order, line: Hashable, full: NoRoom) -> InLine:
        self._forget()
        if len(self._orders) >= self._most:
            self._placer.outcomes[full.code] += 1
            raise full
        wait_s = order.policy.wait_s
        kept = _Order(
            id=random_id(),
            tenant=order.facts.tenant,
            line=line,
            until_s=self._clock.now_s() + wait_s,
            end=asyncio.get_running_loop().create_future(),
        )
        self._orders[kept.id] = kept
        work = self._waiting.wait(line, wait_s, lambda: self._placer.attempt(order), full)
        kept.task = self._tasks.begin(self._to_its_end(kept, work), "an order in line")
        return self._in_line(kept)

    async def _to_its_end(self, kept: _Order, work: Coroutine[Any, Any, Placed]) -> None:
        try:
            placed = await self._placer.counted(work)
        except Exception as error:
            kept.until_s = self._clock.now_s() + KEPT_S
            kept.end.set_exception(error)
            kept.end.exception()  # nobody need ever ask
            if not isinstance(error, VoiceError):
                raise
        else:
            kept.until_s = self._clock.now_s() + placed.expires_s
            kept.end.set_result(placed)

    def _of(self, waiting: str, tenant: str) -> _Order:
        self._forget()
        order = self._orders.get(waiting)
        if order is None or order.tenant != tenant:  # others' are as unknown as none
            raise NotFound(
                "nobody waits under this name",
                field="waiting",
                value=waiting,
                remedy="a seat that nobody came for is given to others: ask for a session again",
            )
        return order

    def _in_line(self, order: _Order) -> InLine:
        left_s = max(0.0, order.until_s - self._clock.now_s())
        before = 0
        for one in self._in_lines():
            if one is order:
                break
            before += one.line == order.line
        return InLine(order.id, round(left_s, 3), before + 1)

    def _in_lines(self) -> Iterator[_Order]:
        return (one for one in self._orders.values() if not one.end.done())

    def _forget(self) -> None:
        now_s = self._clock.now_s()
        over = [one.id for one in self._orders.values() if one.end.done() and one.until_s <= now_s]
        for name in over:
            del self._orders[name]
