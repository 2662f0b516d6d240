"""How long audio gathers before the sockets are read again (pure).

Network cards do the same under load and call it interrupt moderation: a wake-up costs several
times what the packet costs that caused it, so with many streams it is cheaper to come back in a
few milliseconds and take what has come for all of them. With few streams nothing would gather, so
nothing waits.
"""

from dataclasses import dataclass
from math import exp

MEMORY_S = 0.25
"""Over how long the rate of packets is judged: two or three packets of every live stream."""


@dataclass(frozen=True, slots=True)
class GatherRules:
    """What a pause may cost, and what it must bring."""

    longest_s: float = 0.02
    """Added at most to the latency of a packet; 0 reads every packet as it comes."""
    wanted: float = 16.0
    """Packets that are enough: more of them would hardly make a wake-up cheaper for each."""
    worthwhile: float = 3.0
    """Fewer packets than this are not waited for."""


class Moderation:
    """Remembers how many packets come, and says how long to pause."""

    def __init__(self, rules: GatherRules) -> None:
        self._rules = rules
        self._rate = 0.0
        self._at_s = 0.0

    def looked(self, now_s: float, found: int) -> float:
        """Somebody looked, and found so many packets.

        Args:
            now_s: on any clock that never goes back.
            found: sockets that had something to read.

        Returns:
            Seconds until the next look; 0 to be woken by the next packet instead.
        """
        since_s, self._at_s = now_s - self._at_s, now_s
        self._rate = self._rate * exp(-since_s / MEMORY_S) + found / MEMORY_S
        return pause_s(self._rate, self._rules)


def pause_s(rate: float, rules: GatherRules) -> float:
    """The pause at so many packets a second: just long enough, or none at all."""
    if rate <= 0.0 or rate * rules.longest_s < rules.worthwhile:
        return 0.0
    return min(rules.longest_s, rules.wanted / rate)
