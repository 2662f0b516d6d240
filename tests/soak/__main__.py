"""`make soak`: a node under load for minutes or hours: its memory must be flat.

Long sessions, short ones, callers who hang up and texts that are said, one after the other without
a pause, at a node with the models that ship. Memory is read every second; a straight line through
what comes after the first third says by how much it grows, with its interval of 95 %.
The last line of output is JSON; the exit status is 1 where memory surely grows.
"""

import argparse
import asyncio
import json
import sys

from tests.benchmarks.figures import machine
from tests.soak.memory import soak


def main() -> int:
    """Exit status 0 where all is well."""
    parser = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5, help="(5); an hour sees small leaks")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    _say(machine())
    found = asyncio.run(soak(options.minutes, options.seed, _say))
    print(json.dumps(found))
    return int(not found["ok"])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
