"""How often others come to a line, and leave it. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from control_plane.waiting.hazards import BINS, Belief, Seen, belief, bin_of, spent_s
from control_plane.waiting.queue import Line

WINDOW_S = 600.0
MOST = 4096
"""Arrivals remembered."""
LEFT = 300
"""So many who left count."""
_STAYS_S = 600.0
"""What those who leave are assumed to wait on the average, before any has left."""
_STAY = Belief(np.ones(BINS), np.full(BINS, _STAYS_S), 1.0)


class Rates:
    """What was seen of those who wait. Moments are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, str, Line]] = deque(maxlen=MOST)
        self._busy_since_s: float | None = None
        self._leaving = Seen.nothing()

    def came(self, at_s: float, tenant: str, line: Line) -> None:
        """Somebody joined a line."""
        if self._busy_since_s is None:
            self._busy_since_s = at_s
        self._came.append((at_s, tenant, line))

    def idle(self) -> None:
        """Nobody waits any more: whoever comes is not counted until somebody has to."""
        self._busy_since_s = None

    def went(self, waited_s: float, *, left: bool) -> None:
        """Somebody waits no longer.

        Args:
            waited_s: how long he did.
            left: whether he gave up by himself.
        """
        self._leaving.spent_s += spent_s(np.zeros(1), np.array([waited_s]))[0]
        if left:
            self._leaving.fade(1.0 / LEFT)
            self._leaving.ends[bin_of(waited_s)] += 1.0

    def leaving(self, waited_s: Sequence[float]) -> Belief:
        """How likely somebody is to leave, by how long he has waited.

        Who has waited long is seldom about to go: whoever was has gone.

        Args:
            waited_s: by those who wait now.
        """
        now = np.array(waited_s, np.float64)
        spent = spent_s(np.zeros(len(now)), now).sum(axis=0)
        return belief(Seen(self._leaving.ends, self._leaving.spent_s + spent), _STAY)

    def arrivals(self, line: Line, now_s: float) -> tuple[dict[str, int], float]:
        """Of each tenant, to lines that share seats with this one; and in how many seconds."""
        busy_s = now_s if self._busy_since_s is None else self._busy_since_s
        since_s = max(now_s - WINDOW_S, busy_s)
        counts: dict[str, int] = {}
        for _, tenant, where in self._since(since_s):
            if where.meets(line):
                counts[tenant] = counts.get(tenant, 0) + 1
        return counts, max(1.0, now_s - since_s)

    def _since(self, since_s: float) -> Iterable[tuple[float, str, Line]]:
        for one in reversed(self._came):
            if one[0] < since_s:
                return
            yield one
