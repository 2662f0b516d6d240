"""How a session came to its node, for programs. Pure."""

import argparse

import msgspec

from heliovox.cli.exits import UsageError
from heliovox.client.client import Client
from heliovox.client.session import Session
from heliovox.protocol.control import Placed
from heliovox.protocol.messages import Redirect


def check_place(args: argparse.Namespace, client: Client) -> None:
    """Raises UsageError for options of which one is too many."""
    if args.country and args.place:
        raise UsageError("--from and --country both say where the caller is: choose")
    if args.country and client.control is None:
        raise UsageError("--country is for a control plane (--control); tell a node --from LAT,LON")


def arrival(session: Session) -> str:
    """The events before `started`, one a line. Tickets are for nodes, not for outputs."""
    lines = [_line("placed", session.placed)] if session.placed else []
    lines += [_line("redirect", redirect) for redirect in session.redirects]
    return "".join(lines)


def _line(kind: str, event: Placed | Redirect) -> str:
    fields = msgspec.to_builtins(event)
    del fields["ticket"]
    return msgspec.json.encode({"type": kind} | fields).decode() + "\n"
