"""The same calls of the models with nothing around them: what recogniser and voice activity cost.

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
from edge_node.engines import engine_maker, gatekeeper_maker
from edge_node.stt.engine import Engine
from edge_node.stt.vad import VadStream, VoiceActivity
from tests.benchmarks.gaps import COUNTED, WAYS, Gap, full

PIECE_S = 0.5
STEPS = frozenset({"step", "vad step"})
BEGINS = frozenset({"open", "accept"})
"""Calls with which a batch begins; those of the voice activity model belong to the one before."""
Calls = list[tuple[float, str, Any]]


class Models:
    """Both models of the node, and the streams that were opened on them."""

    def __init__(self, engine: Engine, activity: VoiceActivity | None) -> None:
        self._engine, self._activity = engine, activity
        self._streams: dict[int, Any] = {}
        self._vad_streams: dict[int, VadStream] = {}

    def make(self, call: str, what: Any) -> None:
        """One call of the trace; of the voice activity model only where it is there."""
        if not call.startswith("vad "):
            self._ears(call, what)
        elif self._activity is not None:
            self._voice(self._activity, call, what)

    def _ears(self, call: str, what: Any) -> None:
        streams = self._streams
        if call == "accept":
            self._engine.accept(streams[what[0]], what[1])
        elif call == "step":
            self._engine.step([streams[name] for name in what])
        elif call == "open":
            streams[what[0]] = self._engine.open(what[1])
        elif call == "reset":
            self._engine.reset(streams[what])
        else:
            self._engine.close(streams.pop(what))

    def _voice(self, activity: VoiceActivity, call: str, what: Any) -> None:
        if call == "vad accept":
            activity.accept(self._vad_streams[what[0]], what[1])
        elif call == "vad step":
            activity.step([self._vad_streams[name] for name in what])
        else:
            self._vad_streams[what[0]] = activity.open(what[1])


def replay(models: Models, calls: Calls, gap: Gap) -> float:
    """Makes the calls in their order; returns the CPU seconds that went into the gaps."""
    in_gaps_s, stepped = 0.0, True
    for at_s, call, what in calls:
        before_s = time.process_time()
        gap(at_s, stepped and call in BEGINS)
        in_gaps_s += time.process_time() - before_s
        stepped = call in STEPS or (stepped and call not in BEGINS)
        models.make(call, what)
    return in_gaps_s


def pieces(calls: Calls) -> Iterator[Calls]:
    """The calls in pieces of about PIECE_S, each from the beginning of a batch."""
    piece: Calls = []
    stepped = False
    for at_s, call, what in calls:
        begins = bool(piece) and stepped and call in BEGINS
        if begins and at_s - piece[0][0] >= PIECE_S:
            yield piece
            piece = []
        stepped = call in STEPS or (stepped and call not in BEGINS)
        piece.append((at_s, call, what))
    if piece:
        yield piece


def cost_s(
    engine: Engine, activity: VoiceActivity | None, before: Calls, window: Calls
) -> dict[str, float]:
    """CPU seconds of the window's calls, by the way they were made."""
    models = {way: Models(engine, None if way == "ears" else activity) for way in WAYS}
    for way in WAYS:
        replay(models[way], before, full())
    spent_s, rng = dict.fromkeys(WAYS, 0.0), random.Random(0)
    for piece in pieces(window):
        for way in rng.sample(list(WAYS), len(WAYS)):
            began_s = time.process_time()
            in_gaps_s = replay(models[way], piece, WAYS[way]())
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
    settings = settings_of(parser().parse_args(["serve", *node_options]))
    keeper = gatekeeper_maker(settings)()
    activity = None if keeper is None else keeper.activity
    calls: Calls = pickle.loads(options.trace.read_bytes())
    before = [call for call in calls if call[0] < options.begin_s]
    window = [call for call in calls if options.begin_s <= call[0] < options.end_s]
    print(json.dumps(cost_s(engine_maker(settings)(), activity, before, window)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
