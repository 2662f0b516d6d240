"""The same engine calls with nothing around them: what the recogniser alone costs.

`python -m tests.benchmarks.bare_loop TRACE BEGIN_S END_S [options of serve]` replays the calls made
between two moments of a trace in each of the ways of `gaps.py`, and prints the CPU seconds of each
as JSON. It does so piece by piece, each piece in every way and in changing order, so that a busy
moment of the machine falls on all of them alike; each way has streams of its own.
"""

import argparse
import json
import pickle
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_node.__main__ import parser, settings_of
from edge_node.engines import engine_maker
from edge_node.stt.engine import Engine
from tests.benchmarks.gaps import COUNTED, WAYS, Gap, full

PIECE_S = 0.5
Calls = list[tuple[float, str, Any]]


def replay(engine: Engine, calls: Calls, streams: dict[int, Any], gap: Gap) -> float:
    """Makes the calls in their order; returns the CPU seconds that went into the gaps."""
    in_gaps_s, stepped = 0.0, True
    for at_s, call, what in calls:
        before_s = time.process_time()
        gap(at_s, stepped and call != "step")
        in_gaps_s += time.process_time() - before_s
        stepped = call == "step"
        _make(engine, call, what, streams)
    return in_gaps_s


def _make(engine: Engine, call: str, what: Any, streams: dict[int, Any]) -> None:
    if call == "accept":
        engine.accept(streams[what[0]], what[1])
    elif call == "step":
        engine.step([streams[name] for name in what])
    elif call == "open":
        streams[what[0]] = engine.open(what[1])
    elif call == "reset":
        engine.reset(streams[what])
    else:
        engine.close(streams.pop(what))


def pieces(calls: Calls) -> Iterator[Calls]:
    """The calls in pieces of about PIECE_S, each from the beginning of a batch."""
    piece: Calls = []
    for at_s, call, what in calls:
        begins = bool(piece) and piece[-1][1] == "step" and call != "step"
        if begins and at_s - piece[0][0] >= PIECE_S:
            yield piece
            piece = []
        piece.append((at_s, call, what))
    if piece:
        yield piece


def cost_s(engine: Engine, before: Calls, window: Calls) -> dict[str, float]:
    """CPU seconds of the window's calls, by the way they were made."""
    streams: dict[str, dict[int, Any]] = {way: {} for way in WAYS}
    for way in WAYS:
        replay(engine, before, streams[way], full())
    spent_s, rng = dict.fromkeys(WAYS, 0.0), random.Random(0)
    for piece in pieces(window):
        for way in rng.sample(list(WAYS), len(WAYS)):
            began_s = time.process_time()
            in_gaps_s = replay(engine, piece, streams[way], WAYS[way]())
            uncounted_s = 0.0 if way in COUNTED else in_gaps_s
            spent_s[way] += time.process_time() - began_s - uncounted_s
    return spent_s


def main() -> int:
    """Replays what came before unmeasured, then the window."""
    own = argparse.ArgumentParser()
    own.add_argument("trace", type=Path)
    own.add_argument("begin_s", type=float)
    own.add_argument("end_s", type=float)
    options, node_options = own.parse_known_args()
    engine = engine_maker(settings_of(parser().parse_args(["serve", *node_options])))()
    calls: Calls = pickle.loads(options.trace.read_bytes())
    before = [call for call in calls if call[0] < options.begin_s]
    window = [call for call in calls if options.begin_s <= call[0] < options.end_s]
    print(json.dumps(cost_s(engine, before, window)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
