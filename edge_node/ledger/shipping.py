"""Copies a node's ledger into its region's store: a lost disk is not lost evidence."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from edge_node.ledger.book import Book
from edge_node.ledger.segments import LedgerDamaged, Segments, read_segment
from shared.bus import Bus
from shared.clock import Clock
from shared.credentials import CredentialsRefused
from shared.errors import BusFailed
from shared.files import write_private
from shared.ledger.chain import Chain
from shared.ledger.copies import Copy

_log = logging.getLogger(__name__)

EVERY_S = 2.0
ANSWER_S = 5.0
COPY_BYTES = 256 * 1024
"""Of one message. The bus takes four times as much."""
COPIED_FILE = "copied.json"


class Shipping:
    """A service.

    Args:
        segments: the ledger on disk.
        book: says how far it is written.
        log: the ledger's name.
        subject: where copies go.
        dial: connects to the region's store; None where it has none.
        keep_s: for how long the store keeps a copy.
    """

    def __init__(
        self,
        segments: Segments,
        book: Book,
        log: str,
        subject: str,
        dial: Callable[[], Awaitable[Bus]] | None,
        clock: Clock,
        keep_s: int,
    ) -> None:
        self._segments, self._book, self._ledger = segments, book, log
        self._subject, self._dial, self._clock, self._keep_s = subject, dial, clock, keep_s
        self._file = segments.folder / COPIED_FILE
        self._copied = _copied_before(self._file)
        self._failing = False

    def copied(self) -> int:
        """So many records the region's store has."""
        return self._copied

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; then what was written last is copied too, if the store is quick."""
        ready.set()
        if self._dial is None:
            await asyncio.Event().wait()
            return
        bus = await self._connection(self._dial)
        try:
            while True:
                await self._clock.sleep(EVERY_S)
                await self._try(bus)
        finally:
            await self._try(bus)
            await bus.close()

    async def _connection(self, dial: Callable[[], Awaitable[Bus]]) -> Bus:
        while True:
            try:
                return await dial()
            except CredentialsRefused as error:
                self._say(error.message)
                await self._clock.sleep(EVERY_S)

    async def _try(self, bus: Bus) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                while self._copied < self._book.place.size:
                    await self._copy(bus)
        except (BusFailed, OSError, LedgerDamaged, TimeoutError) as error:
            self._say(str(error) or "no answer in time")
            return
        self._say(None)

    async def _copy(self, bus: Bus) -> None:
        """The next stretch of records, as one message."""
        copy = await asyncio.to_thread(self._next, self._book.place.size)
        data = msgspec.json.encode(copy)
        message = f"{self._ledger}-{copy.place.size}-{len(copy.lines)}"
        await bus.keep(self._subject, data, message, for_s=self._keep_s)
        self._copied = copy.place.size + len(copy.lines)
        await asyncio.to_thread(write_private, self._file, b"%d" % self._copied)

    def _next(self, until: int) -> Copy:
        """In a thread. What is written meanwhile is left for the next time."""
        segment = [one for one in self._segments.segments() if one.first <= self._copied][-1]
        place, lines = read_segment(segment)
        chain = Chain(place)
        for line in lines[: self._copied - place.size]:
            chain.take(line)
        size = 0
        taken: list[str] = []
        for line in lines[self._copied - place.size : until - place.size]:
            size += len(line)
            if taken and size > COPY_BYTES:
                break
            taken.append(line.decode())
        if not taken:
            raise LedgerDamaged(f"{segment.path}: record {self._copied} is not there")
        return Copy(self._ledger, chain.place, tuple(taken))

    def _say(self, failure: str | None) -> None:
        if failure is not None and not self._failing:
            _log.warning("the ledger is not copied to the region's store: %s", failure)
        if failure is None and self._failing:
            _log.info("the ledger is copied to the region's store again")
        self._failing = failure is not None


def _copied_before(file: Path) -> int:
    try:
        return max(0, int(file.read_text("ascii")))
    except (OSError, ValueError):
        return 0
