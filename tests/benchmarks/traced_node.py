"""The node with every call of a model noted: `python -m tests.benchmarks.traced_node serve ...`.

The trace goes to the file that HELIOVOX_BENCH_TRACE names when the node has stopped.
"""

import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import edge_node.app
import edge_node.engines
from edge_node.__main__ import main
from edge_node.stt.engine import Engine, Samples, Stream, Token
from edge_node.stt.gatekeeper import Gatekeeper
from edge_node.stt.vad import Probabilities, VadStream, VoiceActivity

TRACE = "HELIOVOX_BENCH_TRACE"
Calls = list[tuple[float, str, Any]]
"""(time, call, streams and samples), of all models on the device's thread."""


class TracedEngine:
    """Notes the recogniser's calls and passes them on."""

    def __init__(self, engine: Engine, calls: Calls) -> None:
        self._engine = engine
        self.profile = engine.profile
        self.ready, self.save, self.restore = engine.ready, engine.save, engine.restore
        self.calls = calls
        self._names: dict[int, int] = {}
        self._opened = 0

    def open(self, graph: str = "") -> Stream:
        stream = self._engine.open(graph)
        self._names[id(stream)] = self._opened
        self._note("open", (self._opened, graph))
        self._opened += 1
        return stream

    def accept(self, stream: Stream, samples: Samples) -> None:
        self._note("accept", (self._names[id(stream)], samples))
        self._engine.accept(stream, samples)

    def step(self, streams: Sequence[Stream]) -> list[list[Token]]:
        self._note("step", [self._names[id(stream)] for stream in streams])
        return self._engine.step(streams)

    def reset(self, stream: Stream) -> None:
        self._note("reset", self._names[id(stream)])
        self._engine.reset(stream)

    def close(self, stream: Stream) -> None:
        self._note("close", self._names.pop(id(stream)))
        self._engine.close(stream)

    def _note(self, call: str, what: Any) -> None:
        self.calls.append((time.monotonic(), call, what))


class TracedActivity:
    """Notes the voice activity model's calls and passes them on."""

    def __init__(self, activity: VoiceActivity, calls: Calls) -> None:
        self._activity = activity
        self.ready = activity.ready
        self.calls = calls
        self._streams: dict[int, tuple[int, VadStream]] = {}
        """Each is kept: nothing says when one is given up, and a number would be met again."""

    def open(self, caller_hz: int) -> VadStream:
        stream = self._activity.open(caller_hz)
        self._streams[id(stream)] = (len(self._streams), stream)
        self._note("vad open", (self._name(stream), caller_hz))
        return stream

    def accept(self, stream: VadStream, samples: Samples) -> None:
        self._note("vad accept", (self._name(stream), samples))
        self._activity.accept(stream, samples)

    def step(self, streams: Sequence[VadStream]) -> Probabilities:
        self._note("vad step", [self._name(stream) for stream in streams])
        return self._activity.step(streams)

    def _name(self, stream: VadStream) -> int:
        return self._streams[id(stream)][0]

    def _note(self, call: str, what: Any) -> None:
        self.calls.append((time.monotonic(), call, what))


def trace_models() -> Calls:
    """From now on the calls of the node's models go in here."""
    calls: Calls = []
    original = edge_node.app.engine_maker

    def maker(settings: Any) -> Callable[[], Engine]:
        make = original(settings)
        return lambda: TracedEngine(make(), calls)

    def load_gatekeeper(file: Path) -> Gatekeeper:
        return Gatekeeper(cast("VoiceActivity", TracedActivity(VoiceActivity(file), calls)))

    edge_node.app.engine_maker = maker
    edge_node.engines._load_gatekeeper = load_gatekeeper
    return calls


if __name__ == "__main__":
    noted = trace_models()
    status = main()
    Path(os.environ[TRACE]).write_bytes(pickle.dumps(noted))
    sys.exit(status)
