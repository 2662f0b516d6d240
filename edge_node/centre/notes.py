"""What sessions used, told to whoever counts: kept by the region's stream, or held until it is."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from shared.clock import Clock
from shared.errors import BusFailed
from shared.exchange import SessionNote

_log = logging.getLogger(__name__)

MOST = 20_000
"""Notes that wait for the region's server, of some 500 bytes each."""
AT_ONCE = 32
_RETRY_S = 1.0
_LAST_S = 3.0


class Outbox:
    """Notes in order, bounded. Pure.

    Where room is short, usage goes first: a session's last note holds its totals anyway.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._notes: deque[SessionNote] = deque()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._notes)

    def add(self, note: SessionNote) -> None:
        """One more; the oldest goes where there is no room."""
        if note.event == "usage" and len(self._notes) * 10 >= self._most * 9:
            self.dropped += 1
            return
        if len(self._notes) >= self._most:
            self._notes.popleft()
            self.dropped += 1
        self._notes.append(note)

    def first(self, count: int) -> list[SessionNote]:
        """Those whose turn it is; they stay until `done`."""
        return [self._notes[at] for at in range(min(count, len(self._notes)))]

    def done(self, note: SessionNote) -> None:
        """It is kept elsewhere now; one that was dropped meanwhile is no error."""
        if note in self._notes:
            self._notes.remove(note)


class Notes:
    """A service: keeps what is in the outbox, again and again until it is kept.

    Args:
        keep: stores one note by its id. Raises BusFailed.
    """

    def __init__(self, keep: Callable[[bytes, str], Awaitable[None]], clock: Clock) -> None:
        self._keep, self._clock = keep, clock
        self.outbox = Outbox()
        self.kept = 0
        self._something = asyncio.Event()

    def add(self, note: SessionNote) -> None:
        """Returns at once."""
        self.outbox.add(note)
        self._something.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; then what is left is given some seconds."""
        ready.set()
        try:
            while True:
                await self._something.wait()
                if not await self._send():
                    await self._clock.sleep(_RETRY_S)
        finally:
            await self._send_the_rest()

    async def _send_the_rest(self) -> None:
        try:
            async with asyncio.timeout(_LAST_S):
                while len(self.outbox) and await self._send():
                    pass
        except TimeoutError:
            pass
        if len(self.outbox):
            _log.error("%d notes of sessions could not be kept", len(self.outbox))

    async def _send(self) -> bool:
        """Whether all went well."""
        batch = self.outbox.first(AT_ONCE)
        sent = await asyncio.gather(*(self._send_one(note) for note in batch))
        if not len(self.outbox):
            self._something.clear()
        return all(sent)

    async def _send_one(self, note: SessionNote) -> bool:
        try:
            await self._keep(msgspec.json.encode(note), note.id)
        except BusFailed as error:
            _log.debug("a note is not kept yet: %s", error)
            return False
        self.outbox.done(note)
        self.kept += 1
        return True
