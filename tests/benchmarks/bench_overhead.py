"""What the node costs on top of the recogniser: CPU over a bare loop of the same engine calls.

Each round runs a node under live streams with every engine call noted, then makes the same calls,
with the same audio and in the same batches, in a bare process. Budget: < 25 %.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.figures import Figure, cpu_s
from tests.benchmarks.stage import ROOT, callers, node, spoken
from tests.benchmarks.traced_node import TRACE

STREAMS = (50, 20)
TRACED = (sys.executable, "-m", "tests.benchmarks.traced_node")


def one_round(streams: int, seconds: float, seed: int) -> tuple[float, float]:
    """CPU seconds of the node, and of the bare loop, for the same window."""
    trace = Path(f"/tmp/heliovox-trace-{os.getpid()}.pkl")
    os.environ[TRACE] = str(trace)
    options = ("--max-streams", str(streams))
    with node(*options, program=TRACED) as at:
        audio = spoken(at, 3 * seconds, seed)
        with callers(at, audio, streams, seconds, seed=seed) as load:
            load.wait("open")
            begin_s, before_s = time.monotonic(), cpu_s(at.pid)
            load.wait("sent")
            used_s, end_s = cpu_s(at.pid) - before_s, time.monotonic()
            load.logs()
    bare = [sys.executable, "-m", "tests.benchmarks.bare_loop", str(trace)]
    window = [str(begin_s), str(end_s)]
    told = subprocess.run(
        [*bare, *window, *options], cwd=ROOT, check=True, capture_output=True, text=True
    )
    trace.unlink()
    return used_s, float(told.stdout.splitlines()[-1])


def run(rounds: int, seconds: float) -> list[Figure]:
    """Both numbers of streams in turn, round after round."""
    figures = []
    for streams in STREAMS:
        pairs = [one_round(streams, seconds, seed) for seed in range(rounds)]
        over = tuple(100 * (used_s - bare_s) / bare_s for used_s, bare_s in pairs)
        per_ms = [1000 / (streams * seconds)] * rounds
        name = f"{streams} streams"
        figures += [
            Figure(f"node's CPU over the bare loop, {name}", "%", over, 25),
            Figure(
                f"node, {name}, a stream-second",
                "ms",
                tuple(used_s * ms for (used_s, _), ms in zip(pairs, per_ms, strict=True)),
            ),
            Figure(
                f"bare loop, {name}, a stream-second",
                "ms",
                tuple(bare_s * ms for (_, bare_s), ms in zip(pairs, per_ms, strict=True)),
            ),
        ]
    return figures
