"""`make chaos`: a real world is hurt again and again while people speak, and no word may be lost.

Three regions, four nodes, a control plane and their buses, as processes; callers who speak
recordings of people in real time (HELIOVOX_ASSETS; the nodes' own voices without). A seeded
schedule of faults, each while several callers of one node are in the middle of a word. Every word
that comes, with its times, is compared with an undisturbed run. The last line of output is JSON;
the exit status is 1 where a word was lost or doubled, or a caller was heard where he may not be.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from heliovox.local.calls import Where
from shared.files import raise_open_files
from tests.chaos.caller import Caller
from tests.chaos.faults import KINDS
from tests.chaos.play import Play
from tests.chaos.report import judge
from tests.chaos.speech import speeches, voices
from tests.chaos.stage import Stage, stage
from tests.chaos.undisturbed import undisturbed

FRANKFURT, ASHBURN = (50.11, 8.68), (39.04, -77.49)
EUROPE = frozenset({"eu-central", "eu-west"})
AMERICAN = 4
"""One caller in so many calls from America, and may be heard anywhere."""


def main() -> int:
    """Exit status 0 where nothing was lost."""
    options = _parser().parse_args()
    raise_open_files()
    found = asyncio.run(_run(options))
    print(json.dumps(found))
    return int(bool(found["lost"] or found["doubled"] or found["unlawful"] or found["cut_short"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make chaos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120, help="of speech (120)")
    parser.add_argument("--seed", type=int, default=1, help="of speech and faults (1)")
    parser.add_argument("--callers", type=int, default=24, help="at one time (24)")
    parser.add_argument(
        "--faults", nargs="+", choices=KINDS, default=KINDS, metavar="FAULT",
        help=f"only these: {', '.join(KINDS)}",
    )  # fmt: skip
    parser.add_argument(
        "--stories", action="store_true", help="how each caller was hit, moment by moment"
    )
    parser.add_argument(
        "--no-replay",
        action="store_true",
        help="callers do not go on after a lost connection, but call again: words are lost",
    )
    return parser


def _assets() -> Path | None:
    named = os.environ.get("HELIOVOX_ASSETS")
    return Path(named) if named and Path(named).is_dir() else None


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    rng = random.Random(options.seed)
    seats = max(8, options.callers)
    with tempfile.TemporaryDirectory(prefix="heliovox-chaos-") as folder:
        async with stage(Path(folder) / "world", seats, None, _part) as world:
            return await _played(world, options, rng)


async def _played(world: Stage, options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    recordings = await voices(_assets(), world.client, rng)
    said = speeches(recordings, rng, options.callers, options.seconds)
    words = await undisturbed(
        world.client, said, lambda n: _progress(f"undisturbed: {n} of {len(said)} callers")
    )
    _say(f"{sum(map(len, words.values()))} words in {options.seconds:g} s of {len(said)} callers")
    callers = {
        one.name: Caller(one, world.client, _where(n), replay=not options.no_replay)
        for n, one in enumerate(said)
    }
    play = Play(world, callers, words, rng, _say, options.faults)
    await play.run(options.seconds)
    lines, found = judge(play.hits, {name: c.record for name, c in callers.items()}, words)
    for line in lines:
        _say(json.dumps(line))
    if options.stories:
        for name, caller in callers.items():
            for at_s, what in caller.story:
                _say(f"{name} {at_s - caller.record.begun_s:8.2f} {what}")
    cut_short = {name: c.error for name, c in callers.items() if c.error}
    for name, why in cut_short.items():
        _say(f"{name}: {why}")
    found["unlawful"] = sum(
        bool(c.regions - EUROPE) for c in callers.values() if c.where.policy == "eu-only"
    )
    found["cut_short"] = len(cut_short)
    found["gaps_told"] = sum(c.seen["Gap"] for c in callers.values())
    found["reconnected"] = sum(c.seen["Resumed"] for c in callers.values())
    return found


def _where(n: int) -> Where:
    if n % AMERICAN == AMERICAN - 1:
        return Where(ASHBURN, "anywhere")
    return Where(FRANKFURT, "eu-only")


def _part(name: str, what: str) -> None:
    _say(f"{name}: {what}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _progress(line: str) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(line, file=sys.stderr, end=end, flush=True)


if __name__ == "__main__":
    sys.exit(main())
