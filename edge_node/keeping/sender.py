"""One place's store, as a node fills it: again and again until the store says that it has it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Protocol

import msgspec

from edge_node.keeping.outbox import Item, Outbox
from shared.bus import Bus
from shared.clock import Clock
from shared.content.records import Deletion
from shared.credentials import CredentialsRefused
from shared.errors import BusFailed
from shared.subjects import DELETED, FORGET

_log = logging.getLogger(__name__)

AT_ONCE = 32
"""Items on their way to one store."""
RETRY_S = 1.0
REFUSED_S = 30.0
LAST_S = 3.0
FIRST_S = 2.0
_LOOK_S = 0.02
ANSWER_S = 2.0
ENDING_S = 1
"""How long the sign that ends a subject lies in its place: the shortest that a store knows."""


class Told(Protocol):
    """Who hears what becomes of content. Returns at once."""

    def settled(self, place: str, item: Item) -> None:
        """A store has it."""
        ...

    def forget(self, session: str) -> None:
        """A custodian wants nothing more kept of it."""
        ...

    def deleted(self, receipt: Deletion) -> None:
        """A custodian has deleted a session's content, or tried to."""
        ...


class Sender:
    """A service. It connects when there is something to keep, and not before.

    Args:
        place: the region whose store it is, for messages.
        dial: makes a connection that keeps itself up, without waiting for the server.
        outbox: what is to be kept there.
        told: of what becomes of it.
        wall_ms: since 1970.
    """

    def __init__(
        self,
        place: str,
        dial: Callable[[], Awaitable[Bus]],
        outbox: Outbox,
        clock: Clock,
        *,
        told: Told,
        wall_ms: Callable[[], int],
    ) -> None:
        self.place, self.outbox = place, outbox
        self._dial, self._clock, self._wall_ms = dial, clock, wall_ms
        self._told = told
        self._something = asyncio.Event()
        self._bus: Bus | None = None
        self._failing = False
        self._tried: set[str] = set()
        self.kept = 0

    @property
    def connected(self) -> bool:
        """Whether the store's server answers now."""
        return self._bus is not None and self._bus.connected

    def add(self, item: Item) -> bool:
        """Returns at once whether it will be tried."""
        taken = self.outbox.add(item)
        if taken:
            self._something.set()
        return taken

    def tried(self, subject: str) -> bool:
        """Whether something of it may lie in the store, as far as this start of the node knows."""
        return subject in self._tried

    async def run(self) -> None:
        """Until cancelled; then what is left is given some seconds."""
        await self._something.wait()
        bus = self._bus = await self._connection()
        try:
            _ = await bus.subscribe(f"{FORGET}.*", self._hear)
            _ = await bus.subscribe(f"{DELETED}.*", self._hear_receipt)
            await self._look_for(bus)
            while True:
                await self._something.wait()
                if not await self._send(bus):
                    await self._clock.sleep(RETRY_S)
        finally:
            await self._send_the_rest(bus)
            await bus.close()

    async def _connection(self) -> Bus:
        """As soon as the seed file is one."""
        while True:
            try:
                return await self._dial()
            except CredentialsRefused as error:
                _log.error("nothing is kept in %s: %s", self.place, error.message)
                await self._clock.sleep(REFUSED_S)

    async def _look_for(self, bus: Bus) -> None:
        """A connection that was just begun is not one that failed."""
        for _ in range(round(FIRST_S / _LOOK_S)):
            if bus.connected:
                return
            await self._clock.sleep(_LOOK_S)

    async def _send_the_rest(self, bus: Bus) -> None:
        try:
            async with asyncio.timeout(LAST_S):
                while len(self.outbox) and await self._send(bus):
                    pass
        except TimeoutError:
            pass
        if len(self.outbox):
            count = len(self.outbox)
            _log.error("%d pieces of content could not be kept in %s", count, self.place)

    async def _send(self, bus: Bus) -> bool:
        """Whether all went well. Of one subject at most one thing matters at a time: see Outbox."""
        batch = self.outbox.first(AT_ONCE, self._wall_ms())
        failures = await asyncio.gather(*(self._send_one(bus, item) for item in batch))
        if not len(self.outbox):
            self._something.clear()
        failure = next((one for one in failures if one is not None), None)
        self._say(failure)
        return failure is None

    async def _send_one(self, bus: Bus, item: Item) -> BusFailed | None:
        if bus.connected:
            self._tried.add(item.subject)
        left_s = ceil((item.until_ms - self._wall_ms()) / 1000)
        try:
            await bus.keep(
                item.subject,
                item.data,
                item.message_id,
                ANSWER_S,
                for_s=ENDING_S if item.ends else max(1, left_s),
                replaces=item.replaces or item.ends,
            )
        except BusFailed as error:
            return error
        self.outbox.done(item)
        self.kept += not item.ends
        if item.ends:
            self._tried.discard(item.subject)
        self._told.settled(self.place, item)
        return None

    def _say(self, failure: BusFailed | None) -> None:
        """Once when it begins and once when it is over."""
        if failure is not None and not self._failing:
            _log.warning("content waits to be kept in %s: %s", self.place, failure)
        if failure is None and self._failing:
            _log.info("content is kept in %s again", self.place)
        self._failing = failure is not None

    async def _hear(self, subject: str, _data: bytes) -> None:
        self._told.forget(subject.rpartition(".")[2])

    async def _hear_receipt(self, _subject: str, data: bytes) -> None:
        try:
            self._told.deleted(msgspec.json.decode(data, type=Deletion))
        except (msgspec.DecodeError, UnicodeDecodeError):
            _log.warning("a receipt in %s cannot be read", self.place)
