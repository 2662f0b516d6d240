"""`heliovox why ID`: why a session is where it is, or nowhere."""

import argparse
import sys
from typing import get_args

from heliovox.cli import centre, why_forms, why_text
from heliovox.cli.exits import Exit
from heliovox.client.control import ControlPlane
from heliovox.client.errors import Refused
from heliovox.protocol.control import (
    CallerWhy,
    ComplianceWhy,
    DecisionView,
    Reader,
    SessionView,
    Why,
)

_TEXT = """Explains a decision: which policy held, which nodes could have taken the session, in what
order, and why every other one could not. ID is a decision's or a session's; `heliovox sessions`
shows both."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("why", help="why a session is where it is", description=_TEXT)
    parser.add_argument("id", metavar="ID", help="of a decision or a session")
    parser.add_argument(
        "--for",
        dest="reader",
        choices=get_args(Reader),
        help="for whom: the caller (why here, what to do), the operator (why not another node), "
        "compliance (which clause of which version, signed by whom); else whoever the key is of",
    )
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""

    async def explain(plane: ControlPlane) -> tuple[Why | SessionView, SessionView | None]:
        return await found(plane, args.id, args.reader)

    view, session = centre.ask(explain, args)
    sys.stdout.write(centre.as_json_lines([view]) if args.json else _text(view))
    if session is not None and view is not session and not args.json:
        sys.stdout.write(why_text.ruled(session))
    return Exit.OK


def _text(view: Why | SessionView) -> str:
    match view:
        case DecisionView():
            return why_text.decision(view)
        case CallerWhy():
            return why_forms.caller(view)
        case ComplianceWhy():
            return why_forms.compliance(view)
        case SessionView():
            return why_text.alone(view)


async def found(
    plane: ControlPlane, name: str, reader: Reader | None
) -> tuple[Why | SessionView, SessionView | None]:
    """The decision of that name or behind the session of that name, or the session that has none.

    Beside it the session, where the name is one's.

    Raises:
        Refused: neither is known.
    """
    try:
        return await plane.why(name, reader), None
    except Refused as error:
        if error.code != "not_found":
            raise
        unknown = error
    try:
        session = await plane.session(name)
    except Refused as error:
        raise unknown if error.code == "not_found" else error from None
    if session.decision is None:
        return session, session
    return await plane.why(session.decision, reader), session
