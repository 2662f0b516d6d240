"""How often others come to a line, and leave it. Pure."""

from collections import deque
from collections.abc import Iterable

from control_plane.waiting.queue import Line

WINDOW_S = 600.0
MOST = 4096
"""Arrivals remembered."""
_HALF = 200.0
"""So many who left count half."""


class Rates:
    """What was seen of those who wait. Moments are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, str, Line]] = deque(maxlen=MOST)
        self._busy_since_s: float | None = None
        self.left = 0.5
        """Who went without a seat before their time was up, and half a one to begin with."""
        self.waited_s = 300.0
        """What all waited together, and what goes with that half."""

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
        fade = 0.5 ** (1.0 / _HALF) if left else 1.0
        self.left = self.left * fade + float(left)
        self.waited_s = self.waited_s * fade + waited_s

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
