"""Sessions that lose their connection: how soon they go on, and what they cost until then."""

import asyncio
import gc
import tracemalloc

from edge_node.sessions.heard import WordsForGood
from heliovox.protocol import messages as wire
from tests.benchmarks.caller import Caller
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.stage import Node, node
from tests.support.conversing import Stage, say

DROPS = 100
WAITING = 500


async def _resumed_ms(at: Node) -> list[float]:
    """From the new connection's first packet to `started`, the old one cut."""
    caller = Caller()
    await caller.open(at.stream_url, at.key, recovers=True)
    took_ms = []
    for _ in range(DROPS):
        started = next(m for _, m in caller.log.messages if isinstance(m, wire.Started))
        assert started.recovery is not None
        assert caller.transport is not None
        caller.transport.disconnect()
        caller = Caller()
        resume = wire.Resume(started.recovery.token)
        await caller.open(at.stream_url, at.key, recovers=True, resume=resume)
        took_ms.append(1000 * (caller.log.started_s - caller.log.connect_s))
        caller.say(wire.KeepAlive())
    await caller.finish()
    return took_ms


def _words(end_ms: int) -> tuple[wire.Word, ...]:
    """Eight of them, made anew."""
    times = (end_ms - 400 * n for n in range(8, 0, -1))
    return tuple(wire.Word(f"word{at}", at, at + 300, 0.9) for at in times)


async def _waiting_kib() -> float:
    """A session without a connection, two finals of eight words not acknowledged."""
    stage = Stage(limit=WAITING)
    try:
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(WAITING):
            talk, _ = stage.caller()
            say(talk, wire.Start(recovers=True))
            for end in (64_000, 128_000):
                talk.handle(WordsForGood(end - 64_000, end, _words(end // 16), "endpoint"))
            talk.lost()
        await asyncio.sleep(0.5)  # the device lets go of them
        del talk
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        assert len(stage.house.recoveries.parking) == WAITING
        return (after - before) / WAITING / 1024
    finally:
        tracemalloc.stop()
        await stage.end()


def run(rounds: int, seconds: float) -> list[Figure]:
    """On a node with nothing else to do."""
    p50, p95, waiting = [], [], []
    for _ in range(rounds):
        with node() as at:
            took_ms = asyncio.run(_resumed_ms(at))
        p50.append(percentile(took_ms, 0.5))
        p95.append(percentile(took_ms, 0.95))
        waiting.append(asyncio.run(_waiting_kib()))
    return [
        Figure("resume on the same node, connecting to started, p50", "ms", tuple(p50)),
        Figure("resume on the same node, connecting to started, p95", "ms", tuple(p95)),
        Figure("memory of a session that waits for its caller", "KiB", tuple(waiting)),
    ]
