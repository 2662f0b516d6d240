"""For how long the fleet can be heard, without a break (pure: time is passed in)."""

HUNG_S = 3.0
"""Between two looks of a second each: the node itself stood still, and what it heard before that
says nothing of now."""


class Earshot:
    """Looks about once a second."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._looked_s: float | None = None

    def look(self, now_s: float, *, connected: bool) -> None:
        """How it is now."""
        late = self._looked_s is not None and now_s - self._looked_s > HUNG_S
        if not connected or late:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now_s
        self._looked_s = now_s

    def for_at_least(self, seconds: float, now_s: float) -> bool:
        """Whether it is so long that all who wanted to could say something."""
        if self._since_s is None or self._looked_s is None or now_s - self._looked_s > HUNG_S:
            return False
        return now_s - self._since_s >= seconds
