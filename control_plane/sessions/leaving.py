"""The sessions of a node that is drained: who is to go next, who stays and why (pure).

here --> asked --told--> on its way --> elsewhere, or over
^        |                 |
|     no room, silent      | did not come in time
+--------+-----------------+      stays: who cannot be moved, or was tried too often
"""

from collections.abc import Collection, Sequence

import msgspec

from control_plane.sessions.row import Row
from heliovox.protocol.draining import DrainView, Stays
from shared.errors import VoiceError

AT_ONCE = 64
"""On their way at one time. More at once load the nodes that they go to, each with some seconds of
audio to be heard again."""
A_ROUND = 8
"""Begun in one round, so that decisions about others come between."""
TRIES = 5
AGAIN_MS = 2_000
"""After a failure, each time so much later."""
ARRIVES_MS = 12_000
"""The node waits up to 3 s for the end of an utterance; who is not there by then is asked anew."""
MOST_LISTED = 1000


class Leaver(msgspec.Struct):
    """One session."""

    tries: int = 0
    next_ms: int = 0
    asked: bool = False
    """Whether somebody is at it now."""
    told_ms: int | None = None
    """When its node was told to send it away."""
    stays: Stays | None = None


class Leaving:
    """One node's."""

    def __init__(self, node: str) -> None:
        self.node = node
        self._known: dict[str, Leaver] = {}
        self.moved = 0

    def next(self, live: Sequence[Row], now_ms: int) -> tuple[str, ...]:
        """Whom to move now; they count as asked until `told` or `failed`.

        Args:
            live: the node's live sessions.
            now_ms: since 1970.
        """
        for row in live:
            one = self._known.setdefault(row.session, Leaver())
            if one.told_ms is not None and now_ms - one.told_ms >= ARRIVES_MS:
                one.told_ms = None
                self._again(row.session, one, "not_there", "it did not get there in time", now_ms)
        room = min(A_ROUND, AT_ONCE - self._under_way)
        due = [row.session for row in live if self._due(self._known[row.session], now_ms)]
        for session in due[: max(0, room)]:
            self._known[session].asked = True
        return tuple(due[: max(0, room)])

    def _due(self, one: Leaver, now_ms: int) -> bool:
        idle = not one.asked and one.told_ms is None and one.stays is None
        return idle and one.next_ms <= now_ms

    @property
    def _under_way(self) -> int:
        return sum(one.asked or one.told_ms is not None for one in self._known.values())

    def told(self, session: str, now_ms: int) -> None:
        """A seat is held for it, and its node knows."""
        one = self._known[session]
        one.asked, one.told_ms = False, now_ms

    def failed(self, session: str, error: VoiceError, now_ms: int) -> None:
        """It could not be moved: later, if that may help."""
        one = self._known[session]
        one.asked = False
        if error.code == "move_under_way":  # somebody else is at it
            one.next_ms = now_ms + AGAIN_MS
        elif error.retryable:
            self._again(session, one, error.code, error.message, now_ms)
        else:
            one.stays = Stays(session, error.code, error.message)

    def _again(self, session: str, one: Leaver, code: str, message: str, now_ms: int) -> None:
        one.tries += 1
        one.next_ms = now_ms + one.tries * AGAIN_MS
        if one.tries >= TRIES:
            one.stays = Stays(session, code, message)

    def gone(self, live: Collection[str], elsewhere: Collection[str]) -> None:
        """Counts those that are not there any more.

        Args:
            live: sessions that are.
            elsewhere: of the others, those that are live at another node.
        """
        for session in [name for name in self._known if name not in live]:
            if not self._known[session].asked:
                del self._known[session]
                self.moved += session in elsewhere

    def known(self) -> tuple[str, ...]:
        """Sessions that were there when they were last looked at."""
        return tuple(self._known)

    def view(self, live: int, *, draining: bool) -> DrainView:
        """How far they are."""
        stays = [one.stays for one in self._known.values() if one.stays is not None]
        return DrainView(
            node=self.node,
            draining=draining,
            keeps=False,
            live=live,
            moving=self._under_way,
            moved=self.moved,
            stays=tuple(stays[:MOST_LISTED]),
            done=draining and live <= len(stays) and not self._under_way,
        )
