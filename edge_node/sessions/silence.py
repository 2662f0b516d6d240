"""How long a caller may say nothing (pure)."""

from edge_node.sessions.limits import Limits
from shared.errors import LimitPassed


class Silence:
    """Counts from the caller's last message, on the clock of whoever calls `tick`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._since_s: float | None = None

    def broken(self) -> None:
        """The caller said something."""
        self._since_s = None

    def tick(self, now_s: float, *, opened: bool, reading: bool) -> None:
        """Time has passed.

        Args:
            now_s: on any clock that never goes back.
            opened: whether the caller has said `start`.
            reading: whether he is read from; if not, what he says may wait on the wire.

        Raises:
            LimitPassed: it was too long.
        """
        if self._since_s is None or not reading:
            self._since_s = now_s
        limits, silent_s = self._limits, now_s - self._since_s
        if not opened and silent_s >= limits.start_within_s:
            raise LimitPassed(
                f"no start within {limits.start_within_s:.0f} s",
                field="type",
                remedy="send start right after connecting",
            )
        if silent_s >= limits.silent_s:
            raise LimitPassed(
                f"nothing was said for {limits.silent_s:.0f} s",
                remedy="send keepalive while there is no audio",
            )
