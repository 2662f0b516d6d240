"""Answers nodes: where should a caller go who came straight to one and cannot stay?"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec

from control_plane.orders import Order, order_of_node
from control_plane.world import WorldNow
from heliovox.protocol.control import InLine, Placed
from shared import subjects
from shared.bus import Bus
from shared.clock import wall_ms
from shared.errors import InvalidMessage, VoiceError
from shared.exchange import NodeAsk, NodeWait, PlaceAnswer

_log = logging.getLogger(__name__)

QUEUE = "centre"
"""Of several control planes one answers."""
AT_ONCE = 256
WAITS_AT_ONCE = 1024
"""Nodes' questions about callers in line: each takes up to LOOK_S."""
LOOK_S = 2.0
"""Of one such question, at most: nodes give up on an answer soon after."""
SILENT_S = 10.0
"""A node that does not ask about a caller in line for so long is gone, or he is."""
FIRST_S = 0.2
"""For the first estimate of a caller in line: his node waits for the answer."""
T = TypeVar("T")


class Lines(Protocol):
    """Finds seats, and keeps those in line for whom there is none."""

    async def place(self, order: Order) -> Placed | InLine:
        """A seat. Raises VoiceError."""
        ...

    async def stand(
        self, order: Order, owner: tuple[str, ...], silent_s: float | None, *, first_s: float
    ) -> Placed | InLine:
        """A seat or a place in line. Raises VoiceError."""
        ...

    async def look(
        self, waiting: str, owner: tuple[str, ...], wait_s: float, after: int | None = None
    ) -> Placed | InLine:
        """How a place in line stands. Raises VoiceError."""
        ...

    async def leave(self, waiting: str, owner: tuple[str, ...]) -> None:
        """Raises VoiceError."""
        ...


class Asks:
    """A service.

    Args:
        plane: this control plane's name.
        lines: as for POST /v1/sessions.
        give_back: frees the seat of a session of an earlier answer; the asker's name goes first.
    """

    def __init__(
        self,
        bus: Bus,
        plane: str,
        world: Callable[[], WorldNow],
        lines: Lines,
        give_back: Callable[[str], Awaitable[None]],
    ) -> None:
        self._bus, self._plane, self._world = bus, plane, world
        self._lines, self._give_back = lines, give_back
        self.answered = self.refused = 0

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        bus, waits = self._bus, subjects.waits(self._plane)
        asks = await bus.subscribe(subjects.ASKS, self._asked, queue=QUEUE, at_once=AT_ONCE)
        looks = await bus.subscribe(waits, self._looked, at_once=WAITS_AT_ONCE)
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asks.end()
            await looks.end()

    async def _asked(self, subject: str, data: bytes) -> bytes:
        """The subject says who asks: the server lets a node publish under its own name only."""
        try:
            answer = await self._answer(_asker(subject), _understood(data, NodeAsk))
        except VoiceError as error:
            self.refused += 1
            answer = _refusal(error)
        return msgspec.json.encode(answer)

    async def _answer(self, asker: tuple[str, ...], ask: NodeAsk) -> PlaceAnswer:
        if ask.give_back is not None:
            await self._give_back(ask.give_back)
            return PlaceAnswer(placed=False)
        order = order_of_node(ask, asker[0], self._world(), wall_ms())
        if order.may_wait and order.policy.when_full != "refuse":
            found = await self._lines.stand(order, asker, SILENT_S, first_s=FIRST_S)
        else:
            found = await self._lines.place(order)
        self.answered += isinstance(found, Placed)
        return self._said(found)

    async def _looked(self, subject: str, data: bytes) -> bytes:
        asker = _asker(subject)
        try:
            wait: NodeWait = _understood(data, NodeWait)
            if wait.leave:
                await self._lines.leave(wait.waiting, asker)
                return msgspec.json.encode(PlaceAnswer(placed=False))
            wait_s = max(0.0, min(wait.wait_s, LOOK_S))
            found = await self._lines.look(wait.waiting, asker, wait_s, wait.after)
            answer = self._said(found)
            self.answered += answer.placed
        except VoiceError as error:
            self.refused += 1
            answer = _refusal(error)
        return msgspec.json.encode(answer)

    def _said(self, found: Placed | InLine) -> PlaceAnswer:
        if isinstance(found, InLine):
            return PlaceAnswer(placed=False, in_line=found, plane=self._plane)
        return PlaceAnswer(
            placed=True,
            session=found.session,
            node=found.node,
            region=found.region,
            url=found.url,
            ticket=found.ticket,
            decision=found.decision,
        )


def _asker(subject: str) -> tuple[str, ...]:
    """Region and node."""
    return tuple(subject.split(".")[2:4])


def _understood(data: bytes, kind: type[T] | Any) -> T:
    try:
        found: T = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidMessage(f"not an ask: {error}", field="ask") from error
    return found


def _refusal(error: VoiceError) -> PlaceAnswer:
    return PlaceAnswer(
        placed=False,
        decision=error.decision or "",
        code=error.code,
        message=error.message,
        remedy=error.remedy,
        retryable=error.retryable,
    )
