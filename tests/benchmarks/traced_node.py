"""The node with every engine call noted: `python -m tests.benchmarks.traced_node serve ...`.

The trace goes to the file that HELIOVOX_BENCH_TRACE names when the node has stopped.
"""

import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import edge_node.app
from edge_node.__main__ import main
from edge_node.stt.engine import Engine, Samples, Stream, Token

TRACE = "HELIOVOX_BENCH_TRACE"


class TracedEngine:
    """Notes (time, call, streams, samples) and passes on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.profile = engine.profile
        self.ready, self.save, self.restore = engine.ready, engine.save, engine.restore
        self.calls: list[tuple[float, str, Any]] = []
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


def trace_engines() -> list[TracedEngine]:
    """From now on the node's engines are traced."""
    traced: list[TracedEngine] = []
    original = edge_node.app.engine_maker

    def maker(settings: Any) -> Callable[[], Engine]:
        make = original(settings)

        def make_traced() -> Engine:
            traced.append(TracedEngine(make()))
            return traced[-1]

        return make_traced

    edge_node.app.engine_maker = maker
    return traced


if __name__ == "__main__":
    engines = trace_engines()
    status = main()
    Path(os.environ[TRACE]).write_bytes(pickle.dumps(engines[0].calls))
    sys.exit(status)
