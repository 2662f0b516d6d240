"""What must hold on a node at every moment (pure): nothing is held for nobody.

Everything that takes or leaves a seat does it within one turn of the event loop, so between two
turns there is no in-between, but for callers whose place is still being asked for.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Invariant = Literal[
    "seat_without_session",
    "session_without_seat",
    "occupant_without_session",
    "session_without_connection",
    "session_nowhere",
    "waits_too_long",
]
INVARIANTS: tuple[Invariant, ...] = (
    "seat_without_session",
    "session_without_seat",
    "occupant_without_session",
    "session_without_connection",
    "session_nowhere",
    "waits_too_long",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A node at one moment. Kinds are those of sessions, names are theirs."""

    held: Mapping[str, int]
    """Seats that are taken, by kind."""
    seated: Mapping[str, int]
    """Sessions that have one, by kind."""
    asking: Mapping[str, int]
    """Callers whose place is being asked for: each may have one, or none yet."""
    strangers: int = 0
    """Places on the device that are no live session's."""
    live: frozenset[str] = frozenset()
    """Sessions that are taken to have a connection."""
    connected: frozenset[str] = frozenset()
    """Sessions that open connections have."""
    known: frozenset[str] = frozenset()
    """Sessions that may go on after a lost connection, and are not over."""
    waiting: frozenset[str] = frozenset()
    """Sessions that wait for their caller."""
    late: frozenset[str] = frozenset()
    """Of those, the ones whose time was over a while ago."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What does not hold, of which session or of how many seats of a kind."""

    invariant: Invariant
    session: str = ""
    kind: str = ""
    count: int = 1


def broken(seen: Seen) -> tuple[Broken, ...]:
    """All that does not hold, in the order of INVARIANTS."""
    found: list[Broken] = []
    for kind, held in sorted((+Counter(seen.held)).items()):
        over = held - seen.seated.get(kind, 0) - seen.asking.get(kind, 0)
        if over > 0:
            found.append(Broken("seat_without_session", kind=kind, count=over))
    for kind, seated in sorted(seen.seated.items()):
        if (under := seated - seen.held.get(kind, 0)) > 0:
            found.append(Broken("session_without_seat", kind=kind, count=under))
    if seen.strangers:
        found.append(Broken("occupant_without_session", count=seen.strangers))
    found += _named("session_without_connection", seen.live - seen.connected)
    found += _named("session_nowhere", seen.known - seen.live - seen.waiting)
    return (*found, *_named("waits_too_long", seen.late))


def _named(invariant: Invariant, sessions: frozenset[str]) -> list[Broken]:
    return [Broken(invariant, session) for session in sorted(sessions)]
