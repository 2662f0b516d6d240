"""Sessions that are at two nodes: who has them no more is told so until he says that he knows.

    found --> told --confirms--> over
      ^         |
      +--silent-+   each time twice as late, while the node lives

A session is at two nodes for a moment whenever it goes on elsewhere. One that stays so breaks what
everything else relies on, so it is counted. Pure: time is handed in.
"""

from collections.abc import Callable, Iterator

import msgspec

from control_plane.sessions.row import Copy
from shared.exchange import SessionNote

FIRST_MS, LONGEST_MS = 1_000, 8_000
"""Between two attempts, doubled each time."""
OLD_MS = 15 * 60_000
"""Of what went on elsewhere longer ago nothing is left: no node keeps a session for so long. It is
found when the notes are read again."""
MOST = 10_000
Key = tuple[str, str]
"""Session and node."""


class Told(msgspec.Struct):
    """One that is to be given up."""

    copy: Copy
    next_ms: int
    wait_ms: int = FIRST_MS


class Twice:
    """What is left of sessions at nodes that have them no more."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._left: dict[Key, Told] = {}

    def __len__(self) -> int:
        return len(self._left)

    def add(self, copy: Copy, now_ms: int) -> None:
        """One was found."""
        key = (copy.session, copy.node)
        known = self._left.get(key)
        if now_ms - copy.at_ms > OLD_MS or (known and known.copy.number >= copy.number):
            return
        self._left.pop(key, None)
        self._left[key] = Told(copy, now_ms)
        if len(self._left) > self._most:
            del self._left[next(iter(self._left))]

    def noted(self, note: SessionNote) -> None:
        """What a node says: it ended the session there, or goes on with it by right."""
        told = self._left.get((note.session, note.node))
        if told is None:
            return
        ended = note.event == "ended" and note.boot == told.copy.boot
        if ended or note.recovery_number > told.copy.number:
            del self._left[note.session, note.node]

    def due(self, now_ms: int, gone: Callable[[str, str], bool]) -> Iterator[Copy]:
        """Those who are to be told now; they are not due again before their time.

        Args:
            now_ms: since 1970.
            gone: whether a node's boot is no more: with it goes what it had.
        """
        for key, told in tuple(self._left.items()):
            copy = told.copy
            if gone(copy.node, copy.boot):
                del self._left[key]
            elif told.next_ms <= now_ms:
                told.next_ms = now_ms + told.wait_ms
                told.wait_ms = min(LONGEST_MS, 2 * told.wait_ms)
                yield copy

    def over(self, copy: Copy) -> None:
        """The node knows."""
        told = self._left.get((copy.session, copy.node))
        if told is not None and told.copy == copy:
            del self._left[copy.session, copy.node]
