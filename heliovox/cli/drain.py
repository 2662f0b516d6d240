"""`heliovox drain NODE`: nobody new goes there, and whoever is there goes elsewhere or may stay."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable

from heliovox.cli import centre
from heliovox.cli.display import printable
from heliovox.cli.exits import Exit
from heliovox.client.control import ControlPlane
from heliovox.protocol.draining import DrainView

_TEXT = """Takes a node out of placement and moves its live sessions to other nodes, each at the end
of an utterance; their callers notice nothing. Waits until all are gone that can go, and lists those
that stay: their callers cannot follow, or there is no room where they may be. --keep moves nobody,
--undo puts the node back."""
_LOOK_S = 0.5


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("drain", help="empty a node", description=_TEXT)
    parser.add_argument("node", metavar="NODE", help="its name, as `heliovox nodes` shows it")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--undo", action="store_true", help="let callers come again")
    what.add_argument("--keep", action="store_true", help="leave its sessions until they end")
    parser.add_argument(
        "--wait",
        type=float,
        default=120.0,
        metavar="S",
        help="for its sessions to be gone, in seconds; 0 does not wait (default: %(default)g)",
    )
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command. FAILED where sessions are left that were to go."""
    if args.undo:
        centre.ask(lambda plane: plane.undrain(args.node), args)
        done = {"node": args.node, "draining": False}
        print(json.dumps(done) if args.json else f"{args.node} serves again")
        return Exit.OK
    told = _quietly if args.json else _aloud()

    async def drain(plane: ControlPlane) -> DrainView:
        return await emptied(plane, args.node, told, keep=args.keep, wait_s=args.wait)

    view = centre.ask(drain, args)
    sys.stdout.write(centre.as_json_lines([view]) if args.json else shown(view))
    return Exit.OK if view.done or view.keeps or not args.wait else Exit.FAILED


async def emptied(
    plane: ControlPlane, node: str, told: Callable[[DrainView], None], *, keep: bool, wait_s: float
) -> DrainView:
    """Drains, and looks until it is done or the time is over."""
    view = await plane.drain(node, keep=keep)
    if keep or not wait_s:
        return view
    try:
        async with asyncio.timeout(wait_s):
            while not view.done:
                told(view)
                await asyncio.sleep(_LOOK_S)
                view = await plane.drained(node)
    except TimeoutError:
        pass
    return view


def shown(view: DrainView) -> str:
    """What came of it."""
    if view.keeps:
        return f"{view.node} takes nobody new; its {view.live} sessions stay until they end\n"
    lines = [f"{view.node} takes nobody new; {_progress(view)}"]
    lines += [f"  {one.session} stays: {one.message} ({one.code})" for one in view.stays]
    return "".join(f"{printable(line)}\n" for line in lines)


def _progress(view: DrainView) -> str:
    return f"{view.moved} sessions moved, {view.moving} on their way, {view.live} there"


def _quietly(_view: DrainView) -> None:
    return


def _aloud() -> Callable[[DrainView], None]:
    """Says what is new."""
    last = ""

    def told(view: DrainView) -> None:
        nonlocal last
        if (now := _progress(view)) != last:
            print(now, file=sys.stderr, flush=True)
            last = now

    return told
