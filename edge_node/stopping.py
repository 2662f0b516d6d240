"""How a node stops: no new sessions, time for the live ones, then the end."""

import asyncio
import logging
import signal
from collections.abc import Callable

from edge_node.capacity.admission import Admission
from edge_node.protocols.registry import Registry
from shared.clock import Clock

_log = logging.getLogger(__name__)

LAST_WORDS_S = 2.0
"""For sessions to be told that they end, after the deadline."""
HANDED_OVER_S = 3.0
"""For sessions to go on at other nodes: their callers ask at once, and within a second or two the
control plane says here that they are there."""
_LOOK_S = 0.05


class Stopping:
    """A service: waits for SIGTERM or SIGINT, drains, then sets `stop`. A second signal skips that.

    Args:
        busy: how many callers are being served.
        waiting: sessions without a connection that another node may take over.
        drain_s: how long they may go on.
    """

    def __init__(
        self,
        registry: Registry,
        admission: Admission,
        busy: Callable[[], int],
        waiting: Callable[[], int],
        drain_s: float,
        clock: Clock,
        stop: asyncio.Event,
    ) -> None:
        self._registry, self._admission = registry, admission
        self._busy, self._waiting = busy, waiting
        self._drain_s, self._clock, self._stop = drain_s, clock, stop
        self._asked = asyncio.Event()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask)
        ready.set()
        await self._asked.wait()
        await self.drain()
        self._stop.set()
        await asyncio.Event().wait()

    def ask(self) -> None:
        """Someone wants the node to stop; asked twice, now."""
        if self._asked.is_set():
            _log.info("stopping at once")
            self._stop.set()
        self._asked.set()

    async def drain(self) -> None:
        """Returns once nobody is served any more, or the time is up."""
        _log.info("draining %d sessions, at most %g s", self._busy(), self._drain_s)
        self._admission.draining = True
        self._registry.drain(round(self._drain_s * 1000))
        if not await self._none_within(self._drain_s, self._busy):
            _log.info("ending %d sessions", self._busy())
            self._registry.end_all()
            await self._none_within(LAST_WORDS_S, self._busy)
        if not await self._none_within(HANDED_OVER_S, self._waiting):
            _log.info("%d sessions were not taken over by other nodes", self._waiting())

    async def _none_within(self, limit_s: float, count: Callable[[], int]) -> bool:
        deadline_s = self._clock.now_s() + limit_s
        while count():
            if self._clock.now_s() >= deadline_s:
                return False
            await self._clock.sleep(_LOOK_S)
        return True
