"""What the node costs on top of its models: CPU over a bare loop of the same calls of them.

Each round runs a node under live streams with every call of a model noted (the recogniser's, and
those of the voice activity model that looks after its words), then makes the same calls,
with the same audio and in the same batches, in a bare process: at the moments at which they were
made, as live audio has it; as fast as they go; and in ways that say where the difference between
those two comes from (`gaps.py`). Budget: < 25 % over the loop that is paced. The node's readings
over the loop at full speed, and over one that leaves voice activity out, are printed beside it,
whatever they are.
"""

import json
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


TOLD = {
    "paced": "bare loop, calls made when they were made live",
    "ears": "the same, the recogniser's calls alone",
    "full": "bare loop at full speed",
    "cold": "  the same, caches emptied before each batch",
    "slept": "  the same, asleep for 20 ms before each batch",
    "spun": "  the same, busy for 20 ms before each batch",
}


@dataclass(frozen=True)
class Round:
    """CPU seconds for the same window of the same streams."""

    node_s: float
    loops_s: dict[str, float]

    def over(self, way: str) -> float:
        """The node's cost over a bare loop, in per cent."""
        return 100 * (self.node_s / self.loops_s[way] - 1)


def one_round(streams: int, seconds: float, seed: int) -> Round:
    """A node, then the bare loops."""
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
        told = subprocess.run(
            replay, cwd=ROOT, check=True, capture_output=True, text=True, **pinned(0)
        )
        return Round(used_s, json.loads(told.stdout.splitlines()[-1]))


def run(rounds: int, seconds: float) -> list[Figure]:
    """Both numbers of streams in turn, round after round."""
    figures = []
    for streams in STREAMS:
        done = [one_round(streams, seconds, seed) for seed in range(rounds)]
        ms = 1000 / (streams * seconds)
        over = {way: tuple(one.over(way) for one in done) for way in ("paced", "ears", "full")}
        figures += [
            Figure(f"node's CPU over the bare loop, {streams} streams", "%", over["paced"], 25),
            Figure("  the same over the recogniser's calls alone", "%", over["ears"]),
            Figure("  the same over the loop at full speed", "%", over["full"]),
            Figure("  node, a stream-second", "ms", tuple(one.node_s * ms for one in done)),
        ]
        figures += [
            Figure(f"  {name}", "ms", tuple(one.loops_s[way] * ms for one in done))
            for way, name in TOLD.items()
        ]
    return figures
