"""Answers nodes: where should a caller go who came straight to one and cannot stay?"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from control_plane.orders import Order, order_of_node
from control_plane.world import WorldNow
from heliovox.protocol.control import Placed
from shared.bus import Bus
from shared.clock import wall_ms
from shared.errors import InvalidMessage, VoiceError
from shared.exchange import NodeAsk, PlaceAnswer
from shared.subjects import ASKS

_log = logging.getLogger(__name__)

QUEUE = "centre"
"""Of several control planes one answers."""
AT_ONCE = 256


class Asks:
    """A service.

    Args:
        place: as for POST /v1/sessions.
        give_back: frees the seat of a session of an earlier answer; the asker's name goes first.
    """

    def __init__(
        self,
        bus: Bus,
        world: Callable[[], WorldNow],
        place: Callable[[Order], Awaitable[Placed]],
        give_back: Callable[[str], Awaitable[None]],
    ) -> None:
        self._bus, self._world, self._place, self._give_back = bus, world, place, give_back
        self.answered = self.refused = 0

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        subscription = await self._bus.subscribe(ASKS, self._asked, queue=QUEUE, at_once=AT_ONCE)
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            await subscription.end()

    async def _asked(self, subject: str, data: bytes) -> bytes:
        """The subject says who asks: the server lets a node publish under its own name only."""
        try:
            answer = await self._answer(subject.split(".")[2], data)
        except VoiceError as error:
            self.refused += 1
            answer = _refusal(error)
        return msgspec.json.encode(answer)

    async def _answer(self, region: str, data: bytes) -> PlaceAnswer:
        try:
            ask = msgspec.json.decode(data, type=NodeAsk)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidMessage(f"not an ask: {error}", field="ask") from error
        if ask.give_back is not None:
            await self._give_back(ask.give_back)
            return PlaceAnswer(placed=False)
        placed = await self._place(order_of_node(ask, region, self._world(), wall_ms()))
        self.answered += 1
        return PlaceAnswer(
            placed=True,
            session=placed.session,
            node=placed.node,
            region=placed.region,
            url=placed.url,
            ticket=placed.ticket,
            decision=placed.decision,
        )


def _refusal(error: VoiceError) -> PlaceAnswer:
    return PlaceAnswer(
        placed=False,
        decision=error.decision or "",
        code=error.code,
        message=error.message,
        remedy=error.remedy,
        retryable=error.retryable,
    )
