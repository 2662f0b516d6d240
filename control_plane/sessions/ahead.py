"""Seats that are held for sessions which go on elsewhere, until they come or do not (pure)."""

import msgspec

from shared.exchange import SessionNote

MOST = 20_000
"""Remembered; of the oldest nobody knows any more that they are to be given back. Their time is up
soon anyway."""


class Going(msgspec.Struct, frozen=True):
    """A seat at another node than the one that has the session."""

    session: str
    region: str
    node: str
    reservation: str
    decision: str
    because: str
    came_from: str
    number: int
    """Of the recovery token that the session goes on by."""
    until_ms: int
    """Nobody holds it any longer then."""


class Ahead:
    """One seat for each session at most."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._going: dict[str, Going] = {}

    def __len__(self) -> int:
        return len(self._going)

    def add(self, going: Going) -> Going | None:
        """Another seat. Returns the one that it takes the place of."""
        before = self._going.pop(going.session, None)
        self._going[going.session] = going
        if len(self._going) > self._most:
            del self._going[next(iter(self._going))]
        return before

    def of(self, session: str, now_ms: int) -> Going | None:
        """The seat that is held for a session, if one is."""
        going = self._going.get(session)
        return None if going is None or going.until_ms <= now_ms else going

    def drop(self, session: str) -> Going | None:
        """It is held no more."""
        return self._going.pop(session, None)

    def noted(self, note: SessionNote) -> Going | None:
        """What a node says of a session. Returns a seat that nobody will come for."""
        going = self._going.get(note.session)
        if going is None or note.event not in ("started", "resumed", "ended"):
            return None
        came = note.node == going.node and note.recovery_number > going.number
        if not came and note.event != "ended" and note.recovery_number <= going.number:
            return None
        del self._going[note.session]
        return None if came else going

    def looked_at(self, now_ms: int) -> None:
        """Time passed: forgets seats that are not held any more."""
        for going in [one for one in self._going.values() if one.until_ms <= now_ms]:
            del self._going[going.session]
