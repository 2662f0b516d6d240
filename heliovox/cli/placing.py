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
    print(wait_text(in_line), file=sys.stderr)


def wait_text(in_line: InLine) -> str:
    """A place in line, for people."""
    said = f"waiting for a seat: number {in_line.position} in line"
    estimate = in_line.estimate
    if estimate is None:
        return f"{said}, at most {in_line.expires_s:.0f} s"
    wide = ", little is known yet" if estimate.based_on.source == "assumed" else ""
    low_s, high_s = f"{estimate.low_s:.0f}", f"{estimate.high_s:.0f}"
    late = f"; over in {in_line.expires_s:.0f} s, with a seat for {estimate.chance:.0%}"
    return f"{said}, {low_s} to {high_s} s for {estimate.confidence:.0%} of callers{wide}{late}"


def _line(kind: str, event: Placed | Redirect) -> str:
    fields = msgspec.to_builtins(event)
    del fields["ticket"]
    return msgspec.json.encode({"type": kind} | fields).decode() + "\n"
