"""What is kept of sessions, for people to read. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from heliovox.cli.display import printable
from heliovox.cli.tables import table

if TYPE_CHECKING:
    from shared.content.contents import KeptSession
    from shared.content.records import Deletion, KeptFinal, PlaceDeleted


def kept(sessions: "Sequence[KeptSession]") -> str:
    """A line for each session and kind."""
    headings = ["SESSION", "NODE", "WHAT", "KEPT IN"]
    rows = [
        [
            one.session,
            one.node,
            one.what,
            ", ".join(f"{place} ({count})" for place, count in one.pieces.items()),
        ]
        for one in sessions
    ]
    return table(headings, rows)


def words(finals: "Iterable[KeptFinal]") -> str:
    """A line for each final."""
    return "".join(
        f"{_moment(one.at_ms)}  {printable(one.caller or '-')}  {printable(one.text)}\n"
        for one in finals
    )


def receipt(deletion: "Deletion") -> str:
    """What was there and what is left, place by place."""
    lines = "".join(f"  {_place(one)}\n" for one in deletion.places)
    if not deletion.verified:
        end = "NOT verified: ask again once every store answers"
    elif any(one.before for one in deletion.places):
        end = "verified: nothing is left"
    else:
        end = "nothing was kept of it"
    return f"{deletion.session}, {_moment(deletion.at_ms)}\n{lines}{end}\n"


def _place(one: "PlaceDeleted") -> str:
    if not one.verified:
        left = "unknown what is left" if one.after is None else f"{one.after} left"
        return f"{one.region}: {left}{': ' if one.why else ''}{one.why}"
    return f"{one.region}: {one.before} before, none left"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
