"""`make burst`: ten thousand callers at one moment onto fewer seats, as processes.

Two control planes on one bus, regions behind links of 40 ms each way, real nodes. The last line of
output is JSON; the exit status is 1 where a caller was not told, or a seat was left or given twice.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from shared.files import raise_open_files
from tests.benchmarks.figures import machine
from tests.support.burst import Answers, burst, far_world, redeemed
from tests.support.running_centre import until

LINK_S = 0.04
PATIENT: dict[str, Any] = {"ticket_ttl_s": 60.0, "waiting": {"turn_s": 75.0}}
"""Seats are held until all are shown, and nobody is sent away for want of processors."""
EVERY = 250
"""Answers between two lines of progress."""
NODES = (("eu-central", "c-1"), ("eu-central", "c-2"), ("eu-central", "c-3"), ("eu-west", "w-1"))


def _said(answers: Answers) -> None:
    if answers.count % EVERY == 0:
        said = f"{answers.count} answered, {len(answers.placed)} placed {dict(answers.refused)}"
        print(said, file=sys.stderr, flush=True)


async def _run(callers: int, seats: int) -> dict[str, Any]:
    each = seats // len(NODES)
    wanted = dict.fromkeys(NODES[1:], each) | {NODES[0]: seats - each * (len(NODES) - 1)}
    with tempfile.TemporaryDirectory() as folder:
        async with far_world(Path(folder), wanted, link_s=LINK_S, **PATIENT) as world:
            print(f"{callers} callers onto {seats} seats ...", file=sys.stderr)
            began_s = time.monotonic()
            answers = await burst(world.planes, callers, _said)
            took_s = time.monotonic() - began_s
            found: dict[str, Any] = {
                "callers": callers,
                "seats": seats,
                "accepted": len(answers.placed),
                "accepted_twice": len(answers.placed) - len(answers.sessions),
                "refused": dict(answers.refused),
                "closed": answers.closed,
                "silent": answers.silent,
                "untyped": len(answers.other),
                "seconds": round(took_s, 1),
            }
            print("every ticket is shown twice ...", file=sys.stderr)
            async with redeemed(answers.placed) as (once, twice):
                found |= {"redeemed": once, "redeemed_twice": twice}

                async def all_sit() -> bool:
                    return await world.reserved() == (once, 0)

                await until(all_sit, 30.0)
    return found


def main() -> int:
    """Exit status 0 where all is as it should be."""
    parser = argparse.ArgumentParser(prog="make burst", description=__doc__)
    parser.add_argument("--callers", type=int, default=10_000)
    parser.add_argument("--seats", type=int, default=2_000)
    options = parser.parse_args()
    raise_open_files()
    print(machine(), file=sys.stderr)
    found = asyncio.run(_run(options.callers, options.seats))
    print(json.dumps(found))
    told = found["accepted"] + sum(found["refused"].values())
    exact = found["accepted"] == found["redeemed"] == options.seats
    return int(told != options.callers or not exact or found["redeemed_twice"] > 0)


if __name__ == "__main__":
    sys.exit(main())
