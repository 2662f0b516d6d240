"""From the centre's streams into one file: batches and notes side by side, as time went."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import msgspec

from control_plane.placement.record import Batch, read_batch
from control_plane.records.choosing import Chooser
from control_plane.records.contents import End, Noted, noted
from control_plane.records.log import LogWriter, decided_ms
from control_plane.streams import CENTRE_NOTES, RECORDS
from shared.bus import Bus, Stored
from shared.errors import BusFailed, InvalidMessage
from shared.exchange import SessionNote
from shared.subjects import record

NOTES_AFTER_MS = 3_600_000
"""Sessions that were placed in time end later: their ends are taken for so long."""
Progress = Callable[[int, int | None], None]
"""Told how many decisions were written, and when the last was made."""


class Export:
    """Copies what is there now.

    Args:
        bus: to the hub.
        writer: of the log.
        from_ms: see Chooser.
        until_ms: likewise.
    """

    def __init__(
        self, bus: Bus, writer: LogWriter, from_ms: int | None = None, until_ms: int | None = None
    ) -> None:
        self._bus, self._writer = bus, writer
        self._chooser, self._until_ms = Chooser(from_ms, until_ms), until_ms
        self._from_ms = from_ms
        self._unreadable = self._decisions = 0
        self._next: Noted | None = None

    async def run(self, progress: Progress = lambda _, __: None) -> End:
        """All of it. Raises BusFailed."""
        records = self._bus.read_now(RECORDS.name)
        notes = self._notes()
        async with aclosing(records) as batches, aclosing(notes):  # type: ignore[type-var]
            async for stored in batches:
                await self._batch(stored, notes, progress)
            await self._notes_until(notes, self._last_ms())
        return self._writer.end(self._unreadable)

    async def _batch(self, stored: Stored, notes: AsyncIterator[Noted], progress: Progress) -> None:
        batch = _own_batch(stored)
        if batch is None:
            self._unreadable += 1
            return
        for chosen, data in self._chooser.chosen(batch, stored.data):
            times = list(decided_ms(chosen))
            if times:
                await self._notes_until(notes, times[0])
                self._decisions += len(times)
                progress(self._decisions, times[-1])
            self._writer.batch(chosen, data)

    def _last_ms(self) -> int | None:
        return None if self._until_ms is None else self._until_ms + NOTES_AFTER_MS

    async def _notes_until(self, notes: AsyncIterator[Noted], at_ms: int | None) -> None:
        """Those of that moment and before; None for all that are left."""
        while True:
            if self._next is None:
                self._next = await anext(notes, None)
            if self._next is None or (at_ms is not None and self._next.at_ms > at_ms):
                return
            if self._from_ms is None or self._next.at_ms >= self._from_ms - NOTES_AFTER_MS:
                self._writer.note(self._next)
            self._next = None

    async def _notes(self) -> AsyncIterator[Noted]:
        """A centre whose streams were just made has none."""
        try:
            async with aclosing(self._bus.read_now(CENTRE_NOTES)) as stored:  # type: ignore[type-var]
                async for one in stored:
                    if (note := _note(one)) is not None:
                        yield note
        except BusFailed:
            if self._bus.connected:
                return
            raise


def _own_batch(stored: Stored) -> Batch | None:
    """A batch that says of itself what its subject says; None for anything else."""
    try:
        batch = read_batch(stored.data)
        return batch if record(batch.plane) == stored.subject else None
    except (InvalidMessage, ValueError):
        return None


def _note(stored: Stored) -> Noted | None:
    try:
        return noted(msgspec.json.decode(stored.data, type=SessionNote))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
