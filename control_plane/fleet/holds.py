"""Seats that were asked for since a node last reported: counted at once, not a second later."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

SETTLED_S = 1.5
"""A report that comes so long after a seat was asked for knows what became of it."""


class Hold(msgspec.Struct, eq=False):
    """One seat asked for. Belongs to the fleet that gave it out."""

    node: str
    kind: str
    since_s: float
    number: int
    """Counts the holds of a fleet."""
    granted: bool = False


@dataclass(slots=True)
class Holds:
    """The seats asked for at one node, which its last report does not count yet."""

    waiting: list[Hold] = field(default_factory=list)

    def reported(self, now_s: float) -> None:
        """A report came: it counts the seats that the node said it holds before.

        A node's answers and reports come in the order in which it sent them. What it has not
        answered yet may or may not be counted; it stays, which errs on the side of a full node
        for as long as an answer takes.
        """
        self.waiting = [
            hold for hold in self.waiting if not hold.granted and now_s - hold.since_s < SETTLED_S
        ]

    def drop(self, hold: Hold) -> bool:
        """Forgets one; says whether it was still there."""
        if hold in self.waiting:
            self.waiting.remove(hold)
            return True
        return False


def room_left(fits: Mapping[str, int], waiting: list[Hold]) -> dict[str, int]:
    """What fits by kind once the seats asked for are taken off.

    A node reports room for each kind as if all that is left were given to it. So a seat of one
    kind, one of the n that fit, takes the nth part of what fits of every other kind too.
    """
    left = dict(fits)
    for hold in waiting:
        of_kind = left.get(hold.kind, 0)
        for kind, count in left.items():
            taken = count / of_kind if of_kind > 0 and kind != hold.kind else 1
            left[kind] = max(0, int(count - taken))
    return left
