"""`heliovox move SESSION`: a live session goes on at another node."""

import argparse
import sys

from heliovox.cli import centre
from heliovox.cli.exits import Exit
from heliovox.client.control import ControlPlane
from heliovox.protocol.control import Moved

_TEXT = """Sends a live session to another node while it goes on: a seat is held there, and at the
next end of an utterance its caller goes over. Says where to, as soon as its node knows; `heliovox
sessions` shows when it is there."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("move", help="move a live session", description=_TEXT)
    parser.add_argument("session", metavar="SESSION", help="as `heliovox sessions` shows it")
    parser.add_argument("--to", metavar="NODE", help="where to; else the best of the others")
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""

    async def move(plane: ControlPlane) -> Moved:
        return await plane.move(args.session, args.to)

    moved = centre.ask(move, args)
    sys.stdout.write(centre.as_json_lines([moved]) if args.json else shown(moved))
    return Exit.OK


def shown(moved: Moved) -> str:
    """In a line."""
    return (
        f"{moved.session} goes from {moved.from_node} to {moved.to_node} in {moved.to_region} "
        f"(decision {moved.decision})\n"
    )
