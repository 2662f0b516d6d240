"""What a person, a pipe or a program sees of a session's events. Pure: events in, text out."""

from collections.abc import Callable

import msgspec

from heliovox.client.events import AudioOut, Event, Gap, Reconnecting, Resumed
from heliovox.protocol import messages as m

Display = Callable[[Event], str]
_WIPE = "\r\x1b[K"
_encoder = msgspec.json.Encoder()


def display_for(*, json: bool, terminal: bool, columns: int = 80) -> Display:
    """The display that fits where the text goes."""
    if json:
        return as_json
    return live_line(columns) if terminal else as_lines


def as_lines(event: Event) -> str:
    """For a pipe: finals, one a line."""
    return f"{printable(event.text)}\n" if isinstance(event, m.Final) else ""


def live_line(columns: int) -> Display:
    """For a terminal: the words so far on one line that is written again until it is final."""

    def show(event: Event) -> str:
        match event:
            case m.Partial(text=text):
                return _WIPE + _end_of(printable(text), columns - 1)
            case m.Final(text=text):
                return f"{_WIPE}{printable(text)}\n"
            case m.Ended():
                return _WIPE
            case _:
                return ""

    return show


def as_json(event: Event) -> str:
    """For a program: the node's messages as they are, without audio."""
    return "" if isinstance(event, AudioOut) else _encoder.encode(event).decode() + "\n"


def aside(event: Event) -> str | None:
    """What to tell a person beside the words, if anything."""
    match event:
        case m.Notice(message=message, remedy=remedy):
            return printable(f"warning: {message}" + (f"; {remedy}" if remedy else ""))
        case m.Draining(deadline_ms=deadline_ms):
            return f"warning: the node stops in {deadline_ms / 1000:g} s"
        case Reconnecting() | Resumed() | Gap():
            return _of_the_connection(event)
        case m.Ended(reason=reason) if reason != "finish":
            return f"warning: the node ended the session: {printable(reason)}"
        case _:
            return None


def _of_the_connection(event: Reconnecting | Resumed | Gap) -> str:
    match event:
        case Reconnecting(attempt=attempt, because=because):
            return printable(f"reconnecting ({attempt}): {because}")
        case Resumed(node=node, region=region, pause_ms=pause_ms):
            where = node if region is None else f"{node} ({region})"
            return printable(f"resumed on {where} after {pause_ms / 1000:.1f} s")
        case Gap(from_sample=begin, to_sample=end):
            return f"gap: the words of samples {begin} to {end} are lost"


def printable(text: str) -> str:
    """Without what would move a terminal's cursor or change its colours."""
    return "".join(char if char.isprintable() else " " for char in text)


def _end_of(text: str, columns: int) -> str:
    return text if len(text) <= columns else "…" + text[len(text) - columns + 1 :]
