"""`heliovox why ID`: why a session is where it is, or nowhere."""

import argparse
import sys

from heliovox.cli import centre, why_text
from heliovox.cli.exits import Exit
from heliovox.client.control import ControlPlane
from heliovox.client.errors import Refused
from heliovox.protocol.control import DecisionView, SessionView

_TEXT = """Explains a decision: which policy held, which nodes could have taken the session, in what
order, and why every other one could not. ID is a decision's or a session's; `heliovox sessions`
shows both."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("why", help="why a session is where it is", description=_TEXT)
    parser.add_argument("id", metavar="ID", help="of a decision or a session")
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""

    async def explain(plane: ControlPlane) -> DecisionView | SessionView:
        return await found(plane, args.id)

    view = centre.ask(explain, args)
    if args.json:
        text = centre.as_json_lines([view])
    elif isinstance(view, DecisionView):
        text = why_text.decision(view)
    else:
        text = why_text.alone(view)
    sys.stdout.write(text)
    return Exit.OK


async def found(plane: ControlPlane, name: str) -> DecisionView | SessionView:
    """The decision of that name or behind the session of that name, or the session that has none.

    Raises:
        Refused: neither is known.
    """
    try:
        return await plane.decision(name)
    except Refused as error:
        if error.code != "not_found":
            raise
        unknown = error
    try:
        session = await plane.session(name)
    except Refused as error:
        raise unknown if error.code == "not_found" else error from None
    return await plane.decision(session.decision) if session.decision else session
