"""When nodes are told again of a bundle that some of them do not have (pure).

Who was cut off has missed the news, and would ask by itself within half a minute only. It shows
what it has in its first report.
"""

from collections.abc import Iterable

AFTER_S = 3.0
"""For so long some node must have been behind: news takes its time, and a control plane that has
not seen a change yet must not call nodes back from it."""
EVERY_S = 10.0
"""Between two times. Shorter lets control planes that hold different files drive nodes to and fro
the faster."""


class Behind:
    """Looked at about once a second."""

    def __init__(self) -> None:
        self._version = ""
        self._since_s: float | None = None
        self._last_s = float("-inf")

    def due(self, shown: Iterable[str | None], version: str, now_s: float) -> bool:
        """Whether to tell them now.

        Args:
            shown: the bundles that live nodes admit by; one that has none asks by itself.
            version: of the bundle of now.
            now_s: of the monotonic clock.
        """
        if all(one in (None, version) for one in shown):
            self._since_s = None
            return False
        if self._since_s is None or version != self._version:
            self._since_s, self._version = now_s, version
        if now_s - self._since_s < AFTER_S or now_s - self._last_s < EVERY_S:
            return False
        self._last_s = now_s
        return True
