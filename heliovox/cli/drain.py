"""`heliovox drain NODE`: nobody new goes there, and whoever is there may stay."""

import argparse
import json

from heliovox.cli import centre
from heliovox.cli.exits import Exit
from heliovox.client.control import ControlPlane

_TEXT = (
    """Takes a node out of placement. Its live sessions go on to their end. --undo puts it back."""
)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("drain", help="send nobody new to a node", description=_TEXT)
    parser.add_argument("node", metavar="NODE", help="its name, as `heliovox nodes` shows it")
    parser.add_argument("--undo", action="store_true", help="let callers come again")
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""

    async def drain(plane: ControlPlane) -> None:
        await plane.drain(args.node, undo=args.undo)

    centre.ask(drain, args)
    state = "serves again" if args.undo else "takes nobody new; `heliovox nodes` shows who is left"
    done = {"node": args.node, "draining": not args.undo}
    print(json.dumps(done) if args.json else f"{args.node} {state}")
    return Exit.OK
