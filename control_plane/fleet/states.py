"""States of a node as the centre sees it, as the codes that a view's column holds."""

from enum import IntEnum
from typing import Literal

from shared.capacity import Tier

StateName = Literal["ready", "draining", "stale", "dead", "conflict", "unwell", "unreachable"]


class State(IntEnum):
    """Only `READY` takes new sessions. The names in lower case are what operators read."""

    READY = 0
    DRAINING = 1
    """Says that it takes no new sessions."""
    UNWELL = 2
    """Says that a part of it is not well."""
    STALE = 3
    """No report for 3 s, or no answer when it was asked for a seat."""
    CONFLICT = 4
    """Two boots report under its name."""
    DEAD = 5
    """No report for 5 s."""
    UNREACHABLE = 6
    """It reports, and does not answer where callers come in."""

    @property
    def label(self) -> StateName:
        """As operators read it."""
        return _LABELS[self]


_LABELS: dict[State, StateName] = {
    State.READY: "ready",
    State.DRAINING: "draining",
    State.UNWELL: "unwell",
    State.STALE: "stale",
    State.CONFLICT: "conflict",
    State.DEAD: "dead",
    State.UNREACHABLE: "unreachable",
}

TIERS: tuple[Tier, ...] = ("hot", "warm", "cold")
"""By the code in a view's column; only hot nodes take sessions."""
