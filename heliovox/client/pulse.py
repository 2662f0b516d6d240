"""Whether the other side still lives: what silence means, slice by slice. Pure.

A caller that does not look for messages learns nothing and takes nobody for dead. One that looks
waits in slices; so long as they are counted, and not the time that a busy program was elsewhere,
its own slowness is not the node's. A node that is behind with the audio reads nothing and answers
no ping meanwhile: it is given as long as that audio lasts.
"""

from enum import Enum

SLICES = 4
"""Of the time in which a loss is to be noticed: after half of it a ping is sent."""
READ_AT_ONCE_S = 3.0
"""Audio that a node reads before it waits for its recogniser; a node takes 4 s."""
STALLED_S = 30.0
"""Nobody is as slow: a recogniser keeps up with speech, and tells of every 20 s of it."""


class Beat(Enum):
    """What to do about a slice of silence."""

    WAIT = "wait"
    PING = "ping"
    DEAD = "dead"


class Pulse:
    """Of one wait for a message.

    Args:
        detect_s: within which a loss is to be noticed.
    """

    def __init__(self, detect_s: float) -> None:
        self.slice_s = detect_s / SLICES
        self._silent = 0
        self._allowed_s = 0.0
        self._pinged = False

    def silence(self, *, answered: bool, held_back: bool) -> Beat:
        """A slice has passed without a message.

        Args:
            answered: whether the ping was, if there was one.
            held_back: whether the connection takes nothing now, so that there can be no ping.
        """
        if self._pinged and answered:
            self._silent, self._pinged = 0, False
        self._silent += 1
        if self._pinged:
            return Beat.DEAD if self._silent * self.slice_s >= self._allowed_s else Beat.WAIT
        if held_back:
            return Beat.DEAD if self._silent * self.slice_s >= STALLED_S else Beat.WAIT
        return Beat.PING if self._silent >= SLICES // 2 else Beat.WAIT

    def pinged(self, ahead_s: float) -> None:
        """A ping is on its way.

        Args:
            ahead_s: audio that was sent before it and may not have been read.
        """
        late_s = max(0.0, ahead_s - READ_AT_ONCE_S)
        self._pinged = True
        self._allowed_s = (self._silent + SLICES // 2) * self.slice_s + min(late_s, STALLED_S)
