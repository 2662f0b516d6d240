"""How a session came to its node, for programs; and that it waits for one."""

import sys

import msgspec

from heliovox.client.session import Session
from heliovox.protocol.control import InLine, Placed
from heliovox.protocol.messages import Redirect


def arrival(session: Session) -> str:
    """The events before `started`, one a line. Tickets are for nodes, not for outputs."""
    lines = [_line("placed", session.placed)] if session.placed else []
    lines += [_line("redirect", redirect) for redirect in session.redirects]
    return "".join(lines)


def say_wait(in_line: InLine) -> None:
    """On standard error: there is no seat yet."""
    left = f"at most {in_line.expires_s:.0f} s"
    print(f"waiting for a seat: number {in_line.position} in line, {left}", file=sys.stderr)


def _line(kind: str, event: Placed | Redirect) -> str:
    fields = msgspec.to_builtins(event)
    del fields["ticket"]
    return msgspec.json.encode({"type": kind} | fields).decode() + "\n"
