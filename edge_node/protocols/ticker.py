"""One look a second at every connection: no timer and no task for each of them."""

import asyncio
from collections.abc import Callable, Sequence

from shared.clock import Clock


class Ticker:
    """A service: calls everybody who keeps deadlines."""

    def __init__(self, clock: Clock, ticks: Sequence[Callable[[], None]], period_s: float) -> None:
        self._clock, self._ticks, self._period_s = clock, ticks, period_s

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        ready.set()
        while True:
            await self._clock.sleep(self._period_s)
            for tick in self._ticks:
                tick()
