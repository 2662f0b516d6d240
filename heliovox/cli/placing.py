"""How a session came to its node, for programs. Pure."""

import msgspec

from heliovox.client.session import Session
from heliovox.protocol.control import Placed
from heliovox.protocol.messages import Redirect


def arrival(session: Session) -> str:
    """The events before `started`, one a line. Tickets are for nodes, not for outputs."""
    lines = [_line("placed", session.placed)] if session.placed else []
    lines += [_line("redirect", redirect) for redirect in session.redirects]
    return "".join(lines)


def _line(kind: str, event: Placed | Redirect) -> str:
    fields = msgspec.to_builtins(event)
    del fields["ticket"]
    return msgspec.json.encode({"type": kind} | fields).decode() + "\n"
