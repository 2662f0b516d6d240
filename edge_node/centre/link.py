"""The node's line to the bus. It may be down at any time, also at the start: the node serves on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from edge_node.centre.identity import Identity
from shared import subjects
from shared.bus import Bus, Handler
from shared.clock import Clock
from shared.errors import BusFailed
from shared.exchange import NodeAsk, NodeWait, PlaceAnswer
from shared.tasks import Tasks

_log = logging.getLogger(__name__)

ASK_S = 2.5
"""For the centre's answer about a caller who waits. Longer lets him wait; shorter gives up on a
centre that reserves on one node after the other."""
_FIRST_S = 2.0
"""For the bus to be there when the node starts; later it comes when it comes."""
_LOOK_S = 0.02
_END_S = 1.0

Dial = Callable[[], Awaitable[Bus]]


class Link:
    """A service: connects, listens, and asks.

    Args:
        dial: makes a connection that keeps itself up, without waiting for the server.
        listen: what is heard by whom, by subject.
    """

    def __init__(
        self, who: Identity, dial: Dial, listen: Mapping[str, Handler], clock: Clock
    ) -> None:
        self._who, self._dial, self._listen, self._clock = who, dial, listen, clock
        self._bus: Bus | None = None
        self._tasks = Tasks()
        self.asked = 0
        self.unanswered = 0

    @property
    def connected(self) -> bool:
        """Whether a server of the bus answers now."""
        return self._bus is not None and self._bus.connected

    async def run(self, ready: asyncio.Event) -> None:
        """Ready once connected, or once it is clear that the bus is not there now.

        Raises:
            CredentialsRefused: the seed file is none.
        """
        bus = self._bus = await self._dial()
        try:
            for subject, handler in self._listen.items():
                _ = await bus.subscribe(subject, handler)
            await self._look_for(bus)
            ready.set()
            await asyncio.Event().wait()
        finally:
            await self._tasks.end(_END_S)
            await bus.close()

    async def _look_for(self, bus: Bus) -> None:
        for _ in range(round(_FIRST_S / _LOOK_S)):
            if bus.connected:
                return
            await self._clock.sleep(_LOOK_S)
        _log.warning("the bus is not there yet; the node goes on without it")

    # --- what others say over it ---

    async def publish(self, subject: str, data: bytes) -> None:
        """To whoever listens now. Raises BusFailed."""
        await self._there().publish(subject, data)

    async def request(self, subject: str, data: bytes, timeout_s: float) -> bytes:
        """An answer. Raises BusFailed."""
        return await self._there().request(subject, data, timeout_s)

    async def keep(self, subject: str, data: bytes, message_id: str) -> None:
        """Returns once it is stored. Raises BusFailed."""
        await self._there().keep(subject, data, message_id)

    async def place(self, ask: NodeAsk) -> PlaceAnswer:
        """Where a caller should go. Raises BusFailed where nobody says so in time."""
        self.asked += 1
        try:
            data = await self.request(self._asks, msgspec.json.encode(ask), ASK_S)
            return msgspec.json.decode(data, type=PlaceAnswer)
        except BusFailed:
            self.unanswered += 1
            raise
        except msgspec.DecodeError as error:
            self.unanswered += 1
            raise BusFailed("the centre's answer cannot be read") from error

    async def still(self, plane: str, wait: NodeWait) -> PlaceAnswer:
        """How a caller in a control plane's line stands. Raises BusFailed."""
        subject = subjects.wait(self._who.region, self._who.node, plane)
        data = await self.request(subject, msgspec.json.encode(wait), ASK_S)
        try:
            return msgspec.json.decode(data, type=PlaceAnswer)
        except msgspec.DecodeError as error:
            raise BusFailed("the centre's answer cannot be read") from error

    def leave(self, plane: str, waiting: str) -> None:
        """A caller waits no more. If nobody hears it, he is missed after a while."""
        _ = self._tasks.begin(self._leave(plane, waiting), name="a place in line given up")

    async def _leave(self, plane: str, waiting: str) -> None:
        try:
            await self.still(plane, NodeWait(waiting, leave=True))
        except BusFailed as error:
            _log.info("a place in line could not be given up: %s", error)

    def give_back(self, session: str) -> None:
        """A seat elsewhere is not needed. If nobody hears it, its reservation runs out."""
        _ = self._tasks.begin(self._give_back(session), name="a seat given back")

    async def _give_back(self, session: str) -> None:
        back = NodeAsk(
            kind="", language="", model=None, policy="", tenant="", place=None, give_back=session
        )
        try:
            await self.request(self._asks, msgspec.json.encode(back), ASK_S)
        except BusFailed as error:
            _log.info("a seat could not be given back: %s", error)

    @property
    def _asks(self) -> str:
        return subjects.ask(self._who.region, self._who.node)

    def _there(self) -> Bus:
        if self._bus is None:
            raise BusFailed("the bus was not reached yet", remedy="try again")
        return self._bus
