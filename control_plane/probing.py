"""Asks every node, where callers come in, whether anybody is there; the fleet is told."""

import asyncio
import logging
import ssl
from collections import Counter
from urllib.parse import urlsplit

import numpy as np

from control_plane.fleet import Fleet, State
from control_plane.probes import Probes, health_url
from control_plane.waiting import Changes
from shared.clock import Clock
from shared.tasks import Tasks

_log = logging.getLogger(__name__)

LOOK_S = 1.0
LIMIT_S = 5.0
"""For one probe, its connection included."""
AT_ONCE = 64
"""Probes at one time; further ones wait for their turn. 1,000 nodes are 33 a second."""
FIRST_LINE_BYTES = 256
"""Nothing more of an answer is read."""
_OK = (b"HTTP/1.1 200", b"HTTP/1.0 200")
_DEAD = np.uint8(State.DEAD)  # an enum in a comparison of columns costs more than the columns


class Probing:
    """A service. It asks the address that a node itself reports, and follows no redirect.

    Args:
        fleet: is told where a node is reached no more, or is again.
        changes: told when that makes decisions come out otherwise.
        tasks: own the probes that run.
    """

    def __init__(
        self, clock: Clock, fleet: Fleet, changes: Changes, tasks: Tasks, probes: Probes
    ) -> None:
        self._clock, self._fleet, self._changes, self._tasks = clock, fleet, changes, tasks
        self._probes = probes
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._asking: set[str] = set()  # a slow one is not asked again meanwhile
        self.answers: Counter[str] = Counter()
        """Probes by what came of them: `ok`, `failed`."""

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        ready.set()
        while True:
            self._look()
            await self._clock.sleep(LOOK_S)

    def failing(self) -> float:
        """Nodes whose last probe failed."""
        return float(len(self._probes.failing))

    def _look(self) -> None:
        view = self._fleet.view(self._clock.now_s())
        alive = [view.nodes[at] for at in (view.state != _DEAD).nonzero()[0].tolist()]
        for node in self._probes.due(alive, self._clock.now_s()):
            if node in self._asking:
                continue
            self._asking.add(node)
            url = view.roster.urls[view.roster.index[node]]
            _ = self._tasks.begin(self._probe(node, health_url(url)), f"probe of {node}")

    async def _probe(self, node: str, url: str) -> None:
        try:
            async with self._turn:
                well = await answers(url, LIMIT_S)
        finally:
            self._asking.discard(node)
        self.answers["ok" if well else "failed"] += 1
        reachable = self._probes.answered(node, well=well)
        if reachable is not None and self._fleet.reached(
            node, self._clock.now_s(), reachable=reachable
        ):
            _log.warning("%s is %s", node, "reached again" if reachable else "not reached")
            self._changes.changed()


async def answers(url: str, limit_s: float) -> bool:
    """Whether a GET gets a 200 in time. Certificates are checked, a redirect is none."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    request = (
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: heliovox-control\r\n"
        "Connection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(
                host,
                parts.port or (443 if tls else 80),
                ssl=ssl.create_default_context() if tls else None,
                limit=FIRST_LINE_BYTES,
            )
            try:
                writer.write(request.encode("ascii"))
                return (await reader.readline()).startswith(_OK)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError, ValueError):  # a first line too long, a name that is none
        return False
