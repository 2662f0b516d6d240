"""A node with the models that ship, under load for minutes or hours: is its memory flat?"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from heliovox.client.client import Client
from heliovox.local.calls import Where
from heliovox.local.node_process import node_process
from heliovox.local.phrases import sentence
from heliovox.local.voices import said
from tests.benchmarks.figures import rss_kib
from tests.soak.load import Load, mixed
from tests.soak.trend import trend

LONG, SHORT = 4, 8
"""Callers at one time."""
EVERY_S = 1.0
WARM_SHARE = 0.34
"""Of the time, before memory counts: pools and caches fill."""
SENTENCES = 12
MOST_MIB_PER_HOUR = 16.0
"""Growth that is surely above this is a leak; a soak of minutes cannot see less."""


async def soak(minutes: float, seed: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Readings over so many minutes, and what they come to."""
    rng = random.Random(seed)
    async with node_process("--max-streams", str(LONG + SHORT + 2)) as node:
        client = Client(node.url, node.key, proxy=None)
        sentences = [await said(client, sentence(rng), None, Where()) for _ in range(SENTENCES)]
        audio = mixed([one.recording.data for one in sentences], rng, 2 * SENTENCES)
        load = Load(client, audio, rng)
        callers = [load.long() for _ in range(LONG)] + [load.short() for _ in range(SHORT)]
        tasks = [asyncio.ensure_future(one) for one in callers]
        try:
            readings = await _readings(node.pid, minutes * 60, load, tell)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [repr(one) for one in ended if not isinstance(one, asyncio.CancelledError)]
    counted = readings[int(len(readings) * WARM_SHARE) :]
    found = trend(counted)
    hour = 3600 / 1024
    return {
        "minutes": minutes,
        "audio_hours": round(load.audio_s / 3600, 2),
        **dict(load.counts),
        "rss_mib": round(counted[-1][1] / 1024, 1),
        "mib_per_hour": round(found.slope * hour, 2),
        "interval_95": [round(found.low * hour, 2), round(found.high * hour, 2)],
        "broken": broken,
        "ok": found.low * hour <= MOST_MIB_PER_HOUR and not broken,
    }


async def _readings(
    pid: int, seconds: float, load: Load, tell: Callable[[str], None]
) -> list[tuple[float, float]]:
    begun_s, found, told_s = time.monotonic(), list[tuple[float, float]](), 0.0
    while (at_s := time.monotonic() - begun_s) < seconds:
        found.append((at_s, rss_kib(pid)))
        if at_s - told_s >= max(10.0, seconds / 20):
            told_s = at_s
            tell(
                f"{at_s / 60:.1f} min: {found[-1][1] / 1024:.1f} MiB, "
                f"{load.audio_s / 3600:.2f} h of audio, {dict(load.counts)}"
            )
        await asyncio.sleep(EVERY_S)
    return found
