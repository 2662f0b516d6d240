"""Which start of a node speaks for its name. Two at once speak for nobody."""

from typing import Literal

import msgspec

from shared.capacity import STALE_S

MOST_BOOTS = 4
"""Other boots remembered by name; more than two at once is a fault that needs a person."""

Verdict = Literal["newer", "same", "late", "other"]


class Boots(msgspec.Struct):
    """The boots that reported under one name.

    A later boot takes the name over at once: a node that was started again is no conflict. It is
    one when the boot that was taken over from is heard again. Then nobody is placed on the node
    until only one has been reporting for 3 s, whichever that is.
    """

    current: str
    """The boot that speaks for the name."""
    seq: int
    """The number of its last report."""
    heard_s: float
    """When that came, in seconds of the centre's monotonic clock."""
    conflict_until_s: float = float("-inf")
    others: dict[str, int] = msgspec.field(default_factory=dict)
    """The last report of each other boot, the latest heard last."""

    def heard(self, boot: str, seq: int, now_s: float) -> Verdict:
        """Whether the report counts: `same` and `newer` do, `late` and `other` do not."""
        if boot == self.current:
            if seq <= self.seq:
                return "late"
            self.seq, self.heard_s = seq, now_s
            return "same"
        if seq <= self.others.get(boot, -1):
            return "late"
        if self._takes_over(boot, now_s):
            self._adopt(boot, seq, now_s)
            return "newer"
        self._remember(boot, seq)
        self.conflict_until_s = now_s + STALE_S
        return "other"

    def _takes_over(self, boot: str, now_s: float) -> bool:
        silent = now_s - self.heard_s > STALE_S
        if boot in self.others:
            return silent
        return silent or boot > self.current

    def _adopt(self, boot: str, seq: int, now_s: float) -> None:
        if boot in self.others:  # it alone has been reporting for 3 s
            self.conflict_until_s = min(self.conflict_until_s, now_s)
        self._remember(self.current, self.seq)
        self.others.pop(boot, None)
        self.current, self.seq, self.heard_s = boot, seq, now_s

    def _remember(self, boot: str, seq: int) -> None:
        self.others.pop(boot, None)
        if len(self.others) >= MOST_BOOTS:
            del self.others[next(iter(self.others))]
        self.others[boot] = seq

    def left(self, boot: str) -> None:
        """Another boot said goodbye: it contradicts nobody any more."""
        self.others.pop(boot, None)
