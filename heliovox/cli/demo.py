"""`heliovox demo`: a node on this machine, on real speech, in under a minute."""

import argparse
import asyncio
import os
import random
import secrets
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heliovox.cli.exits import Exit
from heliovox.cli.interrupts import ending
from heliovox.client.errors import ClientError, UnreadableAudio

if TYPE_CHECKING:
    from heliovox.local.calls import Recording
    from heliovox.local.steps import Step
    from heliovox.local.world.world import LocalWorld

SENTENCES = 3
VOICES = ("voice-en-female", "voice-en-male")
_TEXT = """Starts a node on a free port, has it say three sentences, calls it with that speech in
real time (PCM at 16 kHz, then as a telephone carries it), shows the words as they come, and
compares. Where HELIOVOX_ASSETS names the folder of recordings, people call too. The node is taken
down at the end.

Exit code 0 if everything was heard well enough, 1 if not."""


class NeedsNode(ClientError):
    """The demonstration needs what a node needs."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "demo",
        help="watch a node hear and speak, on this machine",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seed", type=int, help="draws the sentences; any will do (default: chance)"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a show")
    parser.add_argument("--scripted", action="store_true", help=argparse.SUPPRESS)  # for tests


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    try:
        import edge_node  # noqa: F401, PLC0415 the node's distribution
        from heliovox.local.steps import as_json  # noqa: PLC0415
    except ImportError as error:
        raise NeedsNode("demo starts a node: pip install 'heliovox[edge,cpu]'") from error
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    steps = asyncio.run(_demonstrate(args, seed))
    ok = all(step.ok for step in steps)
    if args.json:
        print(as_json(steps))
    else:
        print(f"\n{'All is well' if ok else 'NOT everything is well'} (--seed {seed} repeats it).")
    return Exit.OK if ok else Exit.FAILED


async def _demonstrate(args: argparse.Namespace, seed: int) -> "list[Step]":
    from heliovox.local.demo.plan import Plan  # noqa: PLC0415 needs the node's packages
    from heliovox.local.demo.story import Demonstration  # noqa: PLC0415
    from heliovox.local.phrases import sentence  # noqa: PLC0415
    from heliovox.local.screen import Screen  # noqa: PLC0415

    rng = random.Random(seed)  # noqa: S311 a draw that can be repeated
    sentences = [sentence(rng) for _ in range(SENTENCES)]
    people, problem = ([], "") if args.scripted else _people(rng)
    plan = Plan(
        sentences=sentences,
        voices=(None,) if args.scripted else VOICES,
        people=people,
        people_problem=problem,
        recogniser="scripted" if args.scripted else None,
    )
    columns = shutil.get_terminal_size().columns
    screen = Screen(_nowhere if args.json else _out, sys.stdout.isatty(), columns)
    running: list[LocalWorld] = []
    with ending(running):
        return await Demonstration(plan, screen, os.environ).run(running.append)


def _people(rng: random.Random) -> "tuple[list[Recording], str]":
    """Recordings, or why there are none although a folder is named."""
    from heliovox.local.recordings import draw_people  # noqa: PLC0415

    assets = os.environ.get("HELIOVOX_ASSETS")
    if not assets:
        return [], ""
    try:
        return draw_people(Path(assets), rng, SENTENCES), ""
    except (OSError, ValueError, KeyError, UnreadableAudio) as error:
        return [], f"HELIOVOX_ASSETS={assets}: {error}"


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _nowhere(_: str) -> None:
    """Only the last line counts."""
