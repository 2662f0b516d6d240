"""`heliovox sessions`: who is served where."""

import argparse
import sys
import time
from collections.abc import Sequence

from heliovox.cli import centre
from heliovox.cli.exits import Exit
from heliovox.cli.tables import duration, table
from heliovox.client.control import ControlPlane
from heliovox.protocol.control import SessionView

_TEXT = """Sessions that the control plane knows: those for which a seat is held, live ones, those
that lost their connection or their node and may go on (since when they wait, and which node had one
before), and those that ended with --all. `heliovox why SESSION` says why one is where it is."""
_SHOWN = 12
"""Of a pseudonym, for people; --json has all of it."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("sessions", help="sessions and their nodes", description=_TEXT)
    parser.add_argument("--all", action="store_true", help="those that ended, too")
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    sessions = [
        session
        for session in centre.ask(ControlPlane.sessions, args)
        if args.all or _goes_on(session)
    ]
    sys.stdout.write(
        centre.as_json_lines(sessions) if args.json else shown(sessions, now_ms=time.time() * 1000)
    )
    return Exit.OK


def _goes_on(session: SessionView) -> bool:
    return session.state != "ended" and (session.state != "lost" or session.recovers)


def shown(sessions: Sequence[SessionView], now_ms: float) -> str:
    """The table; ages are reckoned from `now_ms`, since 1970."""
    headings = [
        "SESSION",
        "STATE",
        "NODE",
        "KIND",
        "POLICY",
        "TENANT",
        "BY",
        "AGE",
        "HEARD",
        "CALLER",
        "WHY",
    ]
    return table(headings, [_row(session, now_ms) for session in sessions], right="AGE HEARD")


def _state(session: SessionView, now_ms: float) -> str:
    if session.ruled is not None and session.state == "live":
        return f"live (forbidden: {session.ruled.clause})"
    said = [] if session.reason is None else [session.reason]
    if session.paused_at_ms is not None:
        said.append(f"for {duration((now_ms - session.paused_at_ms) / 1000)}")
    if session.came_from is not None:
        said.append(f"from {session.came_from}")
    return session.state + (f" ({', '.join(said)})" if said else "")


def _row(session: SessionView, now_ms: float) -> list[str]:
    return [
        session.session,
        _state(session, now_ms),
        session.node,
        session.kind,
        session.policy,
        session.tenant,
        session.admitted_by,
        duration((now_ms - session.since_ms) / 1000),
        duration(session.audio_ms / 1000),
        (session.caller or "-")[:_SHOWN],
        session.decision or "-",
    ]
