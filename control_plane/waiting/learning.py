"""What nodes note of sessions, as far as it says something about waiting."""

from collections.abc import Callable

from control_plane.waiting.hall import Waiting
from control_plane.waiting.lengths import Lengths
from shared.exchange import SessionNote

LATE_S = 30.0
"""A note that is older is read again after a start, and says nothing of now."""
_HOLDS_SEAT = ("started", "usage", "resumed")


class Learning:
    """Takes notes as they come, and looks at who still speaks now and then.

    Args:
        lives: whether a session is open, as far as the centre knows.
        wall_s: seconds since 1970.
    """

    def __init__(
        self,
        lengths: Lengths,
        waiting: Waiting,
        lives: Callable[[str], bool],
        wall_s: Callable[[], float],
    ) -> None:
        self._lengths, self._waiting = lengths, waiting
        self._lives, self._wall_s = lives, wall_s
        self._ticks = 0

    def noted(self, note: SessionNote) -> None:
        """One note."""
        at_s = note.at_ms / 1000.0
        if note.event in _HOLDS_SEAT:
            began_s = at_s if note.event == "started" else at_s - note.audio_ms / 1000.0
            self._lengths.began(note.session, note.kind, note.tenant, note.region, began_s)
        elif note.event == "ended":  # a pause is none: the seat may be taken again
            self._lengths.ended(note.session, at_s, self._wall_s())
        came_straight = note.event == "started" and note.admitted_by == "node"
        if came_straight and len(self._waiting) and self._wall_s() - at_s < LATE_S:
            self._waiting.queue.took(note.tenant, note.region)

    def each_second(self) -> None:
        """Counts what running sessions have shown; sessions that died with their nodes go."""
        self._ticks += 1
        if self._ticks % 5 == 0:
            self._lengths.gone(self._lives)
            self._lengths.look(self._wall_s())
