"""From TCP connect to `started`, beside 50 live sessions. Budget: p95 < 100 ms."""

import asyncio
import time

from tests.benchmarks.caller import Caller
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.stage import Node, callers, node, spoken

LIVE = 50


async def _starts(at: Node, count: int) -> list[float]:
    took_ms = []
    for _ in range(count):
        caller = Caller()
        began_s = time.monotonic()
        await caller.open(at.stream_url, at.key)
        took_ms.append(1000 * (time.monotonic() - began_s))
        await caller.finish()
    return took_ms


def run(rounds: int, seconds: float) -> list[Figure]:
    """Opens sessions one after another while 50 others speak."""
    p50, p95 = [], []
    with node("--max-streams", str(LIVE + 10)) as at:
        audio = spoken(at, seconds + 20)
        for number in range(rounds):
            with callers(at, audio, LIVE, seconds, seed=number) as load:
                load.wait("open")
                took_ms = asyncio.run(_starts(at, int(10 * seconds)))
                load.wait("sent")
                load.logs()
            p50.append(percentile(took_ms, 0.5))
            p95.append(percentile(took_ms, 0.95))
    return [
        Figure(f"session start beside {LIVE} live sessions, p50", "ms", tuple(p50)),
        Figure(f"session start beside {LIVE} live sessions, p95", "ms", tuple(p95), 100),
    ]
