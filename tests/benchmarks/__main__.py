"""`make bench`: measures the figures of docs/performance.md again and prints their spread."""

import argparse
import importlib
import sys
import time

from tests.benchmarks.figures import Figure, machine

BENCHES = (
    "start",
    "overhead",
    "latency",
    "peer",
    "memory",
    "engines",
    "snapshot",
    "placement",
    "day",
    "control",
    "admissions",
    "spread",
    "waiting",
    "simulate",
    "ledger",
    "recovery",
    "going_on",
)


def main() -> int:
    """Runs the benches asked for; exit status 1 where a budget is missed."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=...", description=__doc__)
    parser.add_argument(
        "bench", nargs="*", default=["all"], help=f"all, or of: {', '.join(BENCHES)}"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="length of a round (default 20)"
    )
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it runs")
    options = parser.parse_args()
    chosen = BENCHES if "all" in options.bench else tuple(options.bench)
    if unknown := set(chosen) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}: choose of {', '.join(BENCHES)}")
    rounds, seconds = (1, 6.0) if options.quick else (options.rounds, options.seconds)
    print(machine())
    figures: list[Figure] = []
    for name in chosen:
        print(f"{name}: {rounds} rounds of {seconds:g} s ...", file=sys.stderr)
        began_s = time.monotonic()
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        for figure in module.run(rounds, seconds):
            print(figure, flush=True)
            figures.append(figure)
        print(f"  took {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    return int(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
