"""Which start of a node speaks for its name. Two at once speak for nobody."""

from typing import Literal

from shared.capacity import STALE_S

MOST_BOOTS = 4
"""Other boots remembered by name; more than two at once is a fault that needs a person."""

Verdict = Literal["newer", "same", "late", "other"]


class Boots:
    """The boots that reported under one name.

    A later boot takes the name over at once: a node that was started again is no conflict. It is
    one when the boot that was taken over from is heard again. Then nobody is placed on the node
    until only one has been reporting for 3 s, whichever that is.

    Args:
        boot: the first one heard.
        seq: the number of its report.
        now_s: when, in seconds of the centre's monotonic clock.
    """

    def __init__(self, boot: str, seq: int, now_s: float) -> None:
        self.current, self.seq, self.heard_s = boot, seq, now_s
        self.conflict_until_s = float("-inf")
        self._others: dict[str, int] = {}

    def heard(self, boot: str, seq: int, now_s: float) -> Verdict:
        """Whether the report counts: `same` and `newer` do, `late` and `other` do not."""
        if boot == self.current:
            if seq <= self.seq:
                return "late"
            self.seq, self.heard_s = seq, now_s
            return "same"
        if seq <= self._others.get(boot, -1):
            return "late"
        if self._takes_over(boot, now_s):
            self._adopt(boot, seq, now_s)
            return "newer"
        self._remember(boot, seq)
        self.conflict_until_s = now_s + STALE_S
        return "other"

    def _takes_over(self, boot: str, now_s: float) -> bool:
        silent = now_s - self.heard_s > STALE_S
        if boot in self._others:
            return silent
        return silent or boot > self.current

    def _adopt(self, boot: str, seq: int, now_s: float) -> None:
        if boot in self._others:  # it alone has been reporting for 3 s
            self.conflict_until_s = min(self.conflict_until_s, now_s)
        self._remember(self.current, self.seq)
        self._others.pop(boot, None)
        self.current, self.seq, self.heard_s = boot, seq, now_s

    def _remember(self, boot: str, seq: int) -> None:
        self._others.pop(boot, None)
        if len(self._others) >= MOST_BOOTS:
            del self._others[next(iter(self._others))]
        self._others[boot] = seq

    def left(self, boot: str) -> None:
        """Another boot said goodbye: it contradicts nobody any more."""
        self._others.pop(boot, None)
