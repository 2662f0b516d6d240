"""What the node costs on top of the recogniser: CPU over a bare loop of the same engine calls.

Each round runs a node under live streams with every engine call noted, then makes the same calls,
with the same audio and in the same batches, in a bare process: once at the moments at which they
were made, as live audio has it, and once as fast as they go, which is far cheaper: presumably
because the model stays in the processor's caches. Budget: < 25 % over the loop that is paced.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Figure, cpu_s
from tests.benchmarks.stage import ROOT, callers, node, pinned, spoken
from tests.benchmarks.traced_node import TRACE

STREAMS = (50, 20)
TRACED = (sys.executable, "-m", "tests.benchmarks.traced_node")


@dataclass(frozen=True)
class Round:
    """CPU seconds for the same window of the same streams."""

    node_s: float
    paced_s: float
    unpaced_s: float


def one_round(streams: int, seconds: float, seed: int) -> Round:
    """A node, then both bare loops."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.pkl"
        os.environ[TRACE] = str(trace)
        options = ("--max-streams", str(streams))
        with node(*options, program=TRACED, core=0) as at:
            audio = spoken(at, 3 * seconds, seed)
            with callers(at, audio, streams, seconds, core=1, seed=seed) as load:
                load.wait("open")
                begin_s, before_s = time.monotonic(), cpu_s(at.pid)
                load.wait("sent")
                used_s, end_s = cpu_s(at.pid) - before_s, time.monotonic()
                load.logs()
        bare = [sys.executable, "-m", "tests.benchmarks.bare_loop", str(trace)]
        replay = [*bare, str(begin_s), str(end_s), *options]
        return Round(used_s, _seconds([*replay, "--paced"]), _seconds(replay))


def _seconds(command: list[str]) -> float:
    told = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, **pinned(0)
    )
    return float(told.stdout.splitlines()[-1])


def run(rounds: int, seconds: float) -> list[Figure]:
    """Both numbers of streams in turn, round after round."""
    figures = []
    for streams in STREAMS:
        done = [one_round(streams, seconds, seed) for seed in range(rounds)]
        ms = 1000 / (streams * seconds)
        over = tuple(100 * (one.node_s / one.paced_s - 1) for one in done)
        over_unpaced = tuple(100 * (one.node_s / one.unpaced_s - 1) for one in done)
        figures += [
            Figure(f"node's CPU over the bare loop, {streams} streams", "%", over, 25),
            Figure("  the same over the loop at full speed", "%", over_unpaced),
            Figure("  node, a stream-second", "ms", tuple(one.node_s * ms for one in done)),
            Figure("  bare loop, a stream-second", "ms", tuple(one.paced_s * ms for one in done)),
            Figure("  bare loop at full speed", "ms", tuple(one.unpaced_s * ms for one in done)),
        ]
    return figures
