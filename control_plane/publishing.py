"""Keeps decisions in the hub's stream, behind the callers' backs: it never holds one up."""

import asyncio
import logging
from collections import OrderedDict, deque

import msgspec

from control_plane.decisions import Decisions
from control_plane.ids import batch_of
from shared.bus import Bus
from shared.clock import Clock
from shared.errors import BusFailed
from shared.subjects import decision as decision_subject

_log = logging.getLogger(__name__)

MOST_WAITING = 4096
"""Decisions not kept yet; the oldest go when the stream is slower than callers."""
MOST_BATCHES = 256
"""That further decisions may join: an order in line is decided again for a while."""
EVERY_S = 0.1
"""Between messages to the stream: the decisions of a busy moment go out together."""
AGAIN_S = 1.0
"""After the stream did not answer."""
LAST_S = 2.0
"""For what still waits at the end."""


class Publishing:
    """A service."""

    def __init__(self, bus: Bus, clock: Clock, decisions: Decisions, plane: str) -> None:
        self._bus, self._clock, self._decisions, self._plane = bus, clock, decisions, plane
        self._waiting: deque[str] = deque()
        self._batches: OrderedDict[str, list[msgspec.Raw]] = OrderedDict()
        """What has been kept of each: it goes out again with what joins it."""
        self._more = asyncio.Event()
        self.kept = self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def made(self, decision_id: str) -> None:
        """One that others may ask for."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(decision_id)
        self._more.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; what waits then is still kept, if the stream is quick."""
        ready.set()
        try:
            while True:
                await self._more.wait()
                self._more.clear()
                await self._empty()
                await self._clock.sleep(EVERY_S)
        finally:
            await self._last()

    async def _empty(self) -> None:
        while self._waiting:
            try:
                await self._keep(batch_of(self._waiting[0]))
            except BusFailed as error:
                _log.warning("decisions are not kept: %s", error.message)
                await self._clock.sleep(AGAIN_S)

    async def _keep(self, batch: str) -> None:
        """Those of one batch that wait, and those of it that went before."""
        ids = [one for one in self._waiting if batch_of(one) == batch]
        views = [view for one in ids if (view := self._decisions.shortened(one)) is not None]
        kept = self._batches.get(batch, []) + [msgspec.Raw(msgspec.json.encode(v)) for v in views]
        if views:
            subject = decision_subject(self._plane, batch)
            message_id = f"{self._plane}-{batch}-{len(kept)}"
            await self._bus.keep(subject, msgspec.json.encode(kept), message_id)
        self.kept += len(views)
        self._remember(batch, kept)
        gone = set(ids)
        self._waiting = deque(one for one in self._waiting if one not in gone)

    def _remember(self, batch: str, kept: list[msgspec.Raw]) -> None:
        self._batches[batch] = kept
        if len(self._batches) > MOST_BATCHES:
            self._batches.popitem(last=False)

    async def _last(self) -> None:
        try:
            async with asyncio.timeout(LAST_S):
                while self._waiting:
                    await self._keep(batch_of(self._waiting[0]))
        except (TimeoutError, BusFailed):
            self.dropped += len(self._waiting)
            _log.warning("%d decisions are not kept", len(self._waiting))
