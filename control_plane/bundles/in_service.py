"""In which regions nodes stand: what a caller's home region is chosen from (pure)."""

from collections.abc import Iterable


class InService:
    """Regions come at once and go after a while, so that a node's restart moves nobody's home.

    Args:
        grace_s: how long a region without a live node counts.
        known: regions of an earlier start; they are given the same while.
        now_s: of the monotonic clock.
    """

    def __init__(self, grace_s: float, known: Iterable[str] = (), now_s: float = 0.0) -> None:
        self._grace_s = grace_s
        self._seen_s = dict.fromkeys(known, now_s)
        self.regions: frozenset[str] = frozenset(self._seen_s)

    def looked_at(self, alive: Iterable[str], now_s: float) -> bool:
        """Whether the set changed.

        Args:
            alive: regions with a live node now.
            now_s: of the monotonic clock.
        """
        self._seen_s.update(dict.fromkeys(alive, now_s))
        fresh = {
            region: seen_s
            for region, seen_s in self._seen_s.items()
            if now_s - seen_s <= self._grace_s
        }
        self._seen_s = fresh
        before, self.regions = self.regions, frozenset(fresh)
        return self.regions != before
