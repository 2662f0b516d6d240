"""Tells the centre how much room there is: every second, on every change, and at the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from shared.capacity import PERIOD_S, CapacityReport
from shared.clock import Clock
from shared.errors import BusFailed

_log = logging.getLogger(__name__)

CLOSEST_S = 0.05
"""Between two reports, however much changes meanwhile: 20 a second at most."""
_GOODBYE_S = 1.0


class Reports:
    """A service.

    Args:
        read: the node as it is now; told the report's number, and whether it is the last one.
        publish: to whoever listens. Raises BusFailed.
        connected: whether anybody could hear. While not, nothing is said: an old report is worse
            than none.
    """

    def __init__(
        self,
        read: Callable[[int, bool], CapacityReport],
        publish: Callable[[bytes], Awaitable[None]],
        connected: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._read, self._publish, self._connected = read, publish, connected
        self._clock = clock
        self._changed = asyncio.Event()
        self.sent = 0
        self._seq = 0

    def changed(self) -> None:
        """Something is otherwise than the last report says."""
        self._changed.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; the last report says goodbye."""
        try:
            while True:
                self._changed.clear()
                await self._say(goodbye=False)
                ready.set()
                await self._clock.sleep(CLOSEST_S)
                await self._next()
        finally:
            async with asyncio.timeout(_GOODBYE_S):
                await self._say(goodbye=True)

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(PERIOD_S - CLOSEST_S):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _say(self, *, goodbye: bool) -> None:
        if not self._connected():
            return
        self._seq += 1
        try:
            await self._publish(msgspec.json.encode(self._read(self._seq, goodbye)))
            self.sent += 1
        except BusFailed as error:
            _log.debug("no report: %s", error)
