"""Blocking input for an event loop: a file, a pipe, a microphone.

A thread that waits for a pipe cannot be stopped, so it is a daemon: it never holds up the exit.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

AHEAD = 8
"""Pieces read before they are wanted: enough to hide a slow disk, too few to matter."""


class Feed:
    """Goes once through `pieces`; made inside a running event loop."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)
        self._stopped = False
        threading.Thread(target=self._read, name="feed", daemon=True).start()

    def stop(self) -> None:
        """What was read already still comes out, nothing after it."""
        self._stopped = True
        self._room.release()
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces in order. What reading them raises, this raises."""
        while (item := await self._queue.get()) is not None:
            self._room.release()
            if isinstance(item, Exception):
                raise item
            yield item

    def _read(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            try:
                for piece in self._pieces:
                    self._room.acquire()
                    if self._stopped:
                        return
                    self._hand_over(piece)
            except Exception as error:  # noqa: BLE001 raised again by the reader
                self._hand_over(error)
            else:
                self._hand_over(None)

    def _hand_over(self, item: bytes | Exception | None) -> None:
        self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
