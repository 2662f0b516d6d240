"""`make soak`: a node under load for minutes or hours, then one session of a hundred days.

Load: long sessions, short ones, callers who hang up and texts that are said, without a pause, at a
node with the models that ship. Memory is read every second; a straight line through what comes
after the first third says by how much it grows, with its interval of 95 %.
Days: one session on a virtual clock with the scripted recogniser; connections are lost every six
hours, keys change, every word and every time is known beforehand.
A line of JSON for each, the last one sums up; the exit status is 1 where memory surely grows, or
anything of the long session is not as it should be.
"""

import argparse
import asyncio
import json
import sys

from tests.benchmarks.figures import machine
from tests.soak.days import live
from tests.soak.memory import soak
from tests.support.virtual_time import run_virtually


def main() -> int:
    """Exit status 0 where all is well."""
    parser = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5, help="of load (5); 0 for none")
    parser.add_argument("--days", type=float, default=100, help="of the session (100); 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    _say(machine())
    ok = {}
    if options.minutes:
        load = asyncio.run(soak(options.minutes, options.seed, _say))
        print(json.dumps(load), flush=True)
        ok["load"] = load["ok"]
    if options.days:
        life = run_virtually(live(options.days, options.seed, _say))
        print(json.dumps(life), flush=True)
        ok["days"] = not life["not_as_it_should_be"]
    print(json.dumps(ok))
    return int(not all(ok.values()))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
