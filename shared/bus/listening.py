"""A subscriber's side: a bounded backlog, and a bounded number of handlers at work on it."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from shared.bus.model import Handler
from shared.errors import BusFailed
from shared.tasks import Tasks

log = logging.getLogger(__name__)

Answer = Callable[[bytes, bool], Awaitable[None]]
"""Takes the answer to whoever asked; True where the handler failed and there is none."""


class Heard(NamedTuple):
    """A message on its way to the handler."""

    subject: str
    data: bytes
    answer: Answer | None
    """None: nobody asked."""


class Listener:
    """Hands messages to one handler.

    Args:
        pattern: what it listens to, for the log.
        handler: as the bus was given it.
        at_once: handlers that may run together.
        backlog: messages that may wait.
        tasks: own the handlers.
    """

    def __init__(
        self, pattern: str, handler: Handler, *, at_once: int, backlog: int, tasks: Tasks
    ) -> None:
        self._pattern, self._handler, self._tasks = pattern, handler, tasks
        self._at_once, self._backlog = at_once, backlog
        self._waiting: deque[Heard] = deque()
        self._working = 0
        self._ended = False
        self.dropped = 0

    def offer(self, heard: Heard) -> None:
        """Never waits; what does not fit is dropped and counted."""
        if self._ended:
            return
        if len(self._waiting) >= self._backlog:
            self.dropped += 1
            if self.dropped.bit_count() == 1:  # 1, 2, 4, 8, ...: said, and not said all the time
                log.warning("%s: %d messages dropped so far", self._pattern, self.dropped)
            return
        self._waiting.append(heard)
        if self._working < self._at_once:
            self._working += 1
            _ = self._tasks.begin(self._work(), name=f"handler of {self._pattern}")

    def end(self) -> None:
        """Takes no more, and forgets what waits."""
        self._ended = True
        self._waiting.clear()

    def finish(self) -> None:
        """Takes no more; what waits is still handled."""
        self._ended = True

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._handle(self._waiting.popleft())
        finally:
            self._working -= 1

    async def _handle(self, heard: Heard) -> None:
        answer, failed = None, False
        try:
            answer = await self._handler(heard.subject, heard.data)
        except Exception:
            log.exception("the handler of %s failed", self._pattern)
            failed = True
        if heard.answer is None or (answer is None and not failed):
            return
        try:
            await heard.answer(answer or b"", failed)
        except BusFailed as error:
            log.warning("an answer on %s was lost: %s", self._pattern, error)
