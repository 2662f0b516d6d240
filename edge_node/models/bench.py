"""How long a recogniser's steps take on this machine: the clock and the engine are handed in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles

import numpy as np

from edge_node.stt.engine import Engine, Samples

WARM_STEPS = 3
"""The first steps pay for memory and caches, and are not counted."""


@dataclass(frozen=True, slots=True)
class BatchTimes:
    """Steps of one batch size."""

    batch: int
    steps: int
    p50_ms: float
    p95_ms: float
    rtf: float
    """Seconds of work for a second of one stream's audio."""


def bench(
    engine: Engine, batches: Sequence[int], seconds: float, now_s: Callable[[], float]
) -> list[BatchTimes]:
    """Times steps over noise, which costs what speech costs.

    Args:
        engine: warm; used by nobody else meanwhile.
        batches: how many streams a step takes together; each at most the profile's `max_batch`.
        seconds: of audio a stream, for each batch size; at least four steps are taken.
        now_s: a clock.
    """
    return [_bench(engine, batch, seconds, now_s) for batch in batches]


def _bench(engine: Engine, batch: int, seconds: float, now_s: Callable[[], float]) -> BatchTimes:
    profile = engine.profile
    chunk_s = profile.chunk_samples / profile.sample_rate
    steps = WARM_STEPS + max(4, round(seconds / chunk_s))
    edge, chunk = _noise(profile.edge_samples), _noise(profile.chunk_samples)
    streams = [engine.open() for _ in range(batch)]
    took_ms: list[float] = []
    try:
        for stream in streams:
            engine.accept(stream, edge)
        for _ in range(steps):
            begin = now_s()
            for stream in streams:  # some engines compute features here
                engine.accept(stream, chunk)
            engine.step(streams)
            took_ms.append((now_s() - begin) * 1e3)
    finally:
        for stream in streams:
            engine.close(stream)
    counted = took_ms[WARM_STEPS:]
    cuts = quantiles(counted, n=20, method="inclusive")
    rtf = sum(counted) / 1e3 / (len(counted) * batch * chunk_s)
    return BatchTimes(batch, len(counted), cuts[9], cuts[18], rtf)


def _noise(samples: int) -> Samples:
    return np.random.default_rng(0).normal(0, 0.05, samples).astype(np.float32)
