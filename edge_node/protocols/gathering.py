"""Live audio is read for many streams at one time: looks at all their sockets instead of wake-ups.

The sockets of live streams leave the event loop's own poll for a second one, which the loop either
watches (the next packet wakes it) or looks into after a pause (`moderation.py`). Everything else,
new connections and requests among it, wakes the loop as ever: docs/decisions/0006.
"""

import asyncio
import logging
import select
from contextlib import suppress
from typing import Protocol

from edge_node.protocols.moderation import GatherRules, Moderation
from shared.clock import Clock

_log = logging.getLogger(__name__)


class Reader(Protocol):
    """A connection that reads its own socket when it is told to."""

    def read(self) -> None:
        """Something has come. Never blocks."""
        ...

    def broke(self) -> None:
        """Reading raised: nothing is known of this connection any more."""
        ...


class Gatherer:
    """A service: the second poll, and when it is looked into."""

    def __init__(self, rules: GatherRules, clock: Clock) -> None:
        self._moderation, self._clock = Moderation(rules), clock
        self._may_pause = rules.longest_s > 0.0
        self._readers: dict[int, Reader] = {}
        self._poll: select.epoll | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.looks = 0
        self.packets = 0

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled. Without epoll, or where no pause is allowed, it does nothing."""
        self._loop = asyncio.get_running_loop()
        if hasattr(select, "epoll") and self._may_pause:
            self._poll = select.epoll()
            self._listen()
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            self._end()

    def watch(self, fd: int, reader: Reader) -> bool:
        """From now on `reader` is told of what comes; False: it has to see to that itself."""
        if self._poll is None:
            return False
        self._poll.register(fd, select.EPOLLIN)
        self._readers[fd] = reader
        return True

    def unwatch(self, fd: int, reader: Reader) -> None:
        """Not any more; idempotent. The number may be another connection's by now."""
        if self._readers.get(fd) is not reader:
            return
        del self._readers[fd]
        if self._poll is not None:
            with suppress(OSError):  # closed already, and so forgotten by the kernel
                self._poll.unregister(fd)

    def _look(self) -> None:
        if self._poll is None:
            return
        found = self._poll.poll(0)
        for fd, _ in found:
            if (reader := self._readers.get(fd)) is not None:  # else stopped by one before it
                _read(reader)
        self.looks += 1
        self.packets += len(found)
        self._next(self._moderation.looked(self._clock.now_s(), len(found)))

    def _next(self, pause_s: float) -> None:
        """Woken by a packet, or by the clock."""
        watched = self._timer is None
        if pause_s > 0.0:
            if watched and self._poll is not None:
                self._loop.remove_reader(self._poll.fileno())
            self._timer = self._loop.call_later(pause_s, self._look)
        elif not watched:
            self._listen()

    def _listen(self) -> None:
        self._timer = None
        if self._poll is not None:
            self._loop.add_reader(self._poll.fileno(), self._look)

    def _end(self) -> None:
        poll, self._poll = self._poll, None
        if poll is None:
            return
        if self._timer is None:
            self._loop.remove_reader(poll.fileno())
        else:
            self._timer.cancel()
        poll.close()


def _read(reader: Reader) -> None:
    try:
        reader.read()
    except Exception:  # noqa: BLE001 whatever it is, the others go on
        _log.exception("a connection failed while it was read")
        reader.broke()
