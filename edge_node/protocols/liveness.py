"""When to ping a caller, and when to give him up (pure)."""

from dataclasses import dataclass
from enum import Enum, auto


class Verdict(Enum):
    """What the ticker does about a connection."""

    WELL = auto()
    PING = auto()
    DEAD = auto()
    """Nothing came, not even the answer to a ping."""
    UNREAD = auto()
    """The caller does not read what he is sent."""


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """How patient to be."""

    ping_s: float = 20.0
    """Silence after which to ask. Shorter finds the dead sooner and wakes sleeping radios."""
    dead_s: float = 20.0
    """Silence after the question that means nobody is there."""
    unread_s: float = 30.0
    """How long a full send buffer may stay full."""


class Liveness:
    """What is known of one connection's signs of life."""

    __slots__ = ("_heard_s", "_limits", "_pinged_s", "_stuck_s")

    def __init__(self, limits: LivenessLimits, now_s: float) -> None:
        self._limits = limits
        self._heard_s = now_s
        self._pinged_s: float | None = None
        self._stuck_s: float | None = None

    def heard(self, now_s: float) -> None:
        """Bytes came since the last look."""
        self._heard_s, self._pinged_s = now_s, None

    def stuck(self, now_s: float) -> None:
        """The send buffer filled."""
        if self._stuck_s is None:
            self._stuck_s = now_s

    def unstuck(self, now_s: float) -> None:
        """The send buffer drained: somebody reads, though our ping may still wait in his queue."""
        self._stuck_s = None
        self.heard(now_s)

    def judge(self, now_s: float, *, paused: bool) -> Verdict:
        """What to do now; called about once a second.

        While reading is paused nobody can be heard: pongs wait behind unread audio. So silence
        does not count then, and counts anew from when reading goes on.
        """
        if self._stuck_s is not None and now_s - self._stuck_s >= self._limits.unread_s:
            self._stuck_s = None
            return Verdict.UNREAD
        if paused:
            self.heard(now_s)
            return Verdict.WELL
        return self._silence(now_s)

    def _silence(self, now_s: float) -> Verdict:
        if self._pinged_s is not None:
            dead = now_s - self._pinged_s >= self._limits.dead_s
            return Verdict.DEAD if dead else Verdict.WELL
        if now_s - self._heard_s < self._limits.ping_s:
            return Verdict.WELL
        self._pinged_s = now_s
        return Verdict.PING
