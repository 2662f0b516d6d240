"""`heliovox demo`: a world on this machine, on real speech, in about a minute."""

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
_TEXT = """Brings up a world on this machine: message buses, a control plane, nodes in four regions.
Callers in Paris, Mumbai and São Paulo are placed near; their nodes say a sentence each; they speak
it in real time, in PCM and as a telephone carries it, and are understood. Then Europe fills up, a
node is killed, and the control plane is stopped while a caller speaks. At the end the world is
taken down.

Where HELIOVOX_ASSETS names the folder of recordings, people call too.

Exit code 0 if all of it held, 1 if not."""


class NeedsNode(ClientError):
    """The demonstration needs what nodes and control planes need."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "demo",
        help="watch a world place, hear, speak and survive, on this machine",
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
        import heliovox.local.world.world  # noqa: F401, PLC0415 the node's distribution
        from heliovox.local.steps import as_json  # noqa: PLC0415
    except ImportError as error:
        raise NeedsNode("demo starts a world: pip install 'heliovox[edge,control,cpu]'") from error
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
