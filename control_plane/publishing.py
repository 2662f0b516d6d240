"""Keeps decisions in the hub's stream, behind the callers' backs: it never holds one up."""

import asyncio
import logging
from collections import deque

import msgspec

from control_plane.decisions import Decisions
from shared.bus import Bus
from shared.clock import Clock
from shared.errors import BusFailed
from shared.subjects import decision as decision_subject

_log = logging.getLogger(__name__)

MOST_WAITING = 4096
"""Decisions not kept yet; the oldest go when the stream is slower than callers."""
AGAIN_S = 1.0
"""After the stream did not answer."""
LAST_S = 2.0
"""For what still waits at the end."""


class Publishing:
    """A service."""

    def __init__(self, bus: Bus, clock: Clock, decisions: Decisions, plane: str) -> None:
        self._bus, self._clock, self._decisions, self._plane = bus, clock, decisions, plane
        self._waiting: deque[str] = deque()
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
        finally:
            await self._last()

    async def _empty(self) -> None:
        while self._waiting:
            try:
                await self._keep(self._waiting[0])
            except BusFailed as error:
                _log.warning("decisions are not kept: %s", error.message)
                await self._clock.sleep(AGAIN_S)

    async def _keep(self, decision_id: str) -> None:
        view = self._decisions.shortened(decision_id)
        if view is not None:
            subject = decision_subject(self._plane, decision_id)
            await self._bus.keep(subject, msgspec.json.encode(view), decision_id)
            self.kept += 1
        if self._waiting and self._waiting[0] == decision_id:
            self._waiting.popleft()

    async def _last(self) -> None:
        try:
            async with asyncio.timeout(LAST_S):
                while self._waiting:
                    await self._keep(self._waiting[0])
        except (TimeoutError, BusFailed):
            self.dropped += len(self._waiting)
            _log.warning("%d decisions are not kept", len(self._waiting))
