"""Decisions by their id, the latest ones: so many, and so many bytes.

A decision among 1,000 nodes in 50 regions is about 8 KB: a byte a node, 77 bytes for each of up to
64 ranked nodes, 8 for each region, 2 KB for the rest. Among 10 nodes it is 3 KB. A roster is shared
by all decisions that were made while no node came, went or changed what it offers; it is counted
once, at 300 bytes a node.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence

import msgspec

from control_plane.fleet.roster import Roster
from control_plane.placement.decision import Decision

MOST = 10_000
MOST_BYTES = 64 * 2**20
ROSTER_NODE_BYTES = 300
ATTEMPT_BYTES = 100


class Made(msgspec.Struct, frozen=True):
    """A decision and what came of it."""

    decision: Decision
    attempts: tuple[str, ...]
    """What nodes answered, in order: `node: code`."""
    session: str | None
    """None where no seat was got."""

    @property
    def size_bytes(self) -> int:
        """About what keeping it costs, its roster aside."""
        return self.decision.size_bytes + ATTEMPT_BYTES * (1 + len(self.attempts))


class Kept:
    """Remembers decisions. The oldest make way.

    Args:
        most: decisions.
        most_bytes: of decisions and the rosters that they share. The latest decision is kept
            however big it is.
    """

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._made: OrderedDict[str, Made] = OrderedDict()
        self._rosters: Counter[int] = Counter()  # decisions by the identity of their roster
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._made)

    def add(
        self, decision: Decision, attempts: Sequence[str] = (), session: str | None = None
    ) -> None:
        """Remembers one; a second one of the same id takes the first one's place."""
        self._drop(decision.ask.id)
        made = Made(decision, tuple(attempts), session)
        self._made[decision.ask.id] = made
        self.size_bytes += made.size_bytes + self._hold(decision.roster)
        while len(self._made) > self._most or self._too_big():
            self._drop(next(iter(self._made)))

    def of(self, decision_id: str) -> Made | None:
        """One of them; None where it is not known, or not any more."""
        return self._made.get(decision_id)

    def _too_big(self) -> bool:
        return self.size_bytes > self._most_bytes and len(self._made) > 1

    def _drop(self, decision_id: str) -> None:
        made = self._made.pop(decision_id, None)
        if made is not None:
            self.size_bytes -= made.size_bytes + self._let_go(made.decision.roster)

    def _hold(self, roster: Roster) -> int:
        self._rosters[id(roster)] += 1
        return _bytes(roster) if self._rosters[id(roster)] == 1 else 0

    def _let_go(self, roster: Roster) -> int:
        self._rosters[id(roster)] -= 1
        if self._rosters[id(roster)]:
            return 0
        del self._rosters[id(roster)]
        return _bytes(roster)


def _bytes(roster: Roster) -> int:
    return ROSTER_NODE_BYTES * len(roster.names)
