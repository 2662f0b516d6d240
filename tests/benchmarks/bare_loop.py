"""The same engine calls with nothing around them: what the recogniser alone costs.

`python -m tests.benchmarks.bare_loop TRACE BEGIN_S END_S [options of serve]` replays a trace and
prints the CPU seconds of the calls made between two moments of the trace.
"""

import argparse
import pickle
import sys
import time
from pathlib import Path
from typing import Any

from edge_node.__main__ import parser, settings_of
from edge_node.engines import engine_maker
from edge_node.stt.engine import Engine

Calls = list[tuple[float, str, Any]]


def replay(engine: Engine, calls: Calls, streams: dict[int, Any], *, paced: bool = False) -> None:
    """Makes the calls in their order; `paced`: also no earlier than they were made."""
    ahead_s = time.monotonic() - calls[0][0] if calls else 0.0
    for at_s, call, what in calls:
        if paced and (wait_s := at_s + ahead_s - time.monotonic()) > 0:
            time.sleep(wait_s)
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


def main() -> int:
    """Replays what came before unmeasured, then the window."""
    own = argparse.ArgumentParser()
    own.add_argument("trace", type=Path)
    own.add_argument("begin_s", type=float)
    own.add_argument("end_s", type=float)
    own.add_argument("--paced", action="store_true")
    options, node_options = own.parse_known_args()
    engine = engine_maker(settings_of(parser().parse_args(["serve", *node_options])))()
    calls: Calls = pickle.loads(options.trace.read_bytes())
    streams: dict[int, Any] = {}
    replay(engine, [call for call in calls if call[0] < options.begin_s], streams)
    window = [call for call in calls if options.begin_s <= call[0] < options.end_s]
    before_s = time.process_time()
    replay(engine, window, streams, paced=options.paced)
    print(time.process_time() - before_s)
    return 0


if __name__ == "__main__":
    sys.exit(main())
