"""Sessions as the centre knows them: from what it placed and from what nodes noted (pure)."""

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from control_plane.sessions.following import follow
from control_plane.sessions.row import STATES, Copy, Row, State
from shared.exchange import SessionNote

NEVER_CAME = "never_came"
"""Why a reserved session ended whose caller did not come in time."""
NODE_GONE = "node_gone"
"""Why a session was lost."""
NOT_RESUMED = "not_resumed"
"""Why one ended that waited for its caller, or for another node."""
SILENT_MS = 60_000
"""A live session is noted twice as often: one that is found lost was not heard of for longer only
where the centre itself was away."""


class SessionTable:
    """At most `limit` sessions: the oldest that are over go first, then the oldest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, Row] = {}
        self._over: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self._open) + len(self._over)

    def get(self, session: str) -> Row | None:
        """What is known of it."""
        return self._open.get(session) or self._over.get(session)

    def open(self, session: str) -> bool:
        """Whether it goes on, or may, as far as is known."""
        return session in self._open

    def rows(self) -> Iterator[Row]:
        """The latest first, open ones before those that are over."""
        yield from reversed(self._open.values())
        yield from reversed(self._over.values())

    def live_at(self, node: str) -> tuple[Row, ...]:
        """The live sessions of a node, the oldest first."""
        return tuple(r for r in self._open.values() if r.node == node and r.state == "live")

    def counts(self) -> Mapping[str, float]:
        """How many by state."""
        counts: dict[str, float] = dict.fromkeys(STATES, 0.0)
        for row in self.rows():
            counts[row.state] += 1
        return counts

    def placed(self, row: Row) -> None:
        """A seat is held. A note that came before the answer outranks it."""
        if self.get(row.session) is None:
            self._set(row)

    def noted(self, note: SessionNote) -> Copy | None:
        """What a node says. Nothing brings back a session that its node ended.

        Returns:
            The session at another node than the one that has it now, where it is there, too.
        """
        before = self.get(note.session)
        after, twice = follow(before, note)
        if after is not before:
            self._set(after)
        return twice

    def ended(self, session: str, reason: str) -> None:
        """Ended by the centre: a seat that was given back, or a session that nobody has."""
        row = self._open.get(session)
        if row is not None:
            self._set(replace(row, state="ended", reason=reason))

    def looked_at(self, now_ms: int, gone: Callable[[str, str], bool]) -> None:
        """Time passed: gives up the reserved that never came, and the live of dead nodes.

        What can go on elsewhere waits for that, and ends when its time is over.

        Args:
            now_ms: since 1970.
            gone: whether a node's boot (node, boot) is no more.
        """
        for row in tuple(self._open.values()):
            if row.state == "reserved" and now_ms >= row.until_ms:
                self._set(replace(row, state="ended", reason=NEVER_CAME))
            elif row.state == "live" and gone(row.node, row.boot):
                at_ms = min(now_ms, row.noted_ms + SILENT_MS)
                self._set(replace(row, state="lost", reason=NODE_GONE, paused_at_ms=at_ms))
            elif row.waits and now_ms > row.good_until_ms:
                self._set(replace(row, state="ended", reason=NOT_RESUMED, supposed=True))

    def _set(self, row: Row) -> None:
        self._open.pop(row.session, None) if not row.open else self._over.pop(row.session, None)
        where = self._open if row.open else self._over
        where[row.session] = row
        while len(self) > self._limit:
            oldest = self._over or self._open
            del oldest[next(iter(oldest))]


__all__ = ["NEVER_CAME", "NODE_GONE", "NOT_RESUMED", "Copy", "Row", "SessionTable", "State"]
