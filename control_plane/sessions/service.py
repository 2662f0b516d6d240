"""Follows what nodes note: the table of sessions and the totals of usage are made of it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

import msgspec

from control_plane.sessions.row import Copy
from control_plane.sessions.table import SessionTable
from control_plane.sessions.usage import Usage
from control_plane.streams import CENTRE_NOTES
from shared.bus import Bus, Stored
from shared.clock import Clock
from shared.errors import BusFailed
from shared.exchange import SessionNote
from shared.subjects import META

_log = logging.getLogger(__name__)

AGAIN_S = 1.0
BREATHE_EVERY = 200
"""Notes taken in one go, when there are many, before others have their turn."""


class Notes:
    """A service. The stream is the truth: at every start it is read from its beginning.

    Nothing is kept beside it, so there is nothing that could disagree with it.

    Args:
        also: told of every note, after the table.
        twice: told, after them, of every session that is at another node, too.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        table: SessionTable,
        usage: Usage,
        also: Sequence[Callable[[SessionNote], None]] = (),
        twice: Callable[[Copy], None] = lambda _: None,
    ) -> None:
        self._bus, self._clock, self._table, self._usage = bus, clock, table, usage
        self._also, self._twice = list(also), twice
        self._after = 0
        self.taken = self.refused = 0

    def also(self, learns: Callable[[SessionNote], None]) -> None:
        """One more is told of every note."""
        self._also.append(learns)

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        ready.set()
        while True:
            try:
                await self._follow()
            except BusFailed as error:
                _log.warning("notes are not followed: %s", error.message)
            await self._clock.sleep(AGAIN_S)

    async def _follow(self) -> None:
        reading = self._bus.read(CENTRE_NOTES, self._after)
        async with contextlib.aclosing(reading) as stored:  # type: ignore[type-var]
            async for one in stored:
                self.take(one)
                if self.taken % BREATHE_EVERY == 0:
                    await asyncio.sleep(0)

    def take(self, stored: Stored) -> None:
        """One note; what was taken before, or is none, changes nothing."""
        if stored.sequence <= self._after:
            return
        self._after = stored.sequence
        note = _note(stored)
        if note is None:
            self.refused += 1
            return
        self.taken += 1
        twice = self._table.noted(note)
        self._usage.noted(note)
        for learns in self._also:
            learns(note)
        if twice is not None:
            self._twice(twice)


def _note(stored: Stored) -> SessionNote | None:
    """A note that says of itself what its subject says: a node speaks for itself alone."""
    try:
        note = msgspec.json.decode(stored.data, type=SessionNote)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.warning("not a note on %s: %s", stored.subject, error)
        return None
    if stored.subject != f"{META}.{note.region}.{note.node}.note":
        _log.warning("a note on %s speaks for another node", stored.subject)
        return None
    return note
