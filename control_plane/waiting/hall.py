"""Callers who wait for a seat: in line by what they ask for, each within its own time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import TypeVar

from control_plane.waiting.changes import Changes
from shared.clock import Clock
from shared.errors import NoRoom

T = TypeVar("T")


class _Line:
    """Waiters who ask for the same: the lock lets them through in the order they came."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.length = 0


class Waiting:
    """A service; it starts after whoever serves callers, so that it ends before.

    The head of each line is decided again when the fleet changes; who is behind waits for it.

    Args:
        most: waiters at one time.
        settle_s: between a change and the decision.
    """

    def __init__(self, changes: Changes, clock: Clock, *, most: int, settle_s: float) -> None:
        self._changes, self._clock = changes, clock
        self._most, self._settle_s = most, settle_s
        self._lines: dict[Hashable, _Line] = {}
        self._stopping = False
        self.served = self.given_up = self.crowded_out = 0

    def __len__(self) -> int:
        return sum(line.length for line in self._lines.values())

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; then every waiter is refused."""
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stop()

    def stop(self) -> None:
        """Every waiter is refused, and whoever comes."""
        self._stopping = True
        self._changes.changed()

    def busy(self, line: Hashable) -> bool:
        """Whether others are in line: who comes now must not pass them."""
        return line in self._lines

    async def wait(
        self, line: Hashable, wait_s: float, attempt: Callable[[], Awaitable[T]], refusal: NoRoom
    ) -> T:
        """What `attempt` returns once it does not raise NoRoom.

        Args:
            line: equal for all who compete for the same seats.
            wait_s: at most; an attempt that has begun is let through to its end.
            attempt: raises NoRoom where there is still none; what else it raises ends the waiting.
            refusal: the first one, raised where the time passes before another decision.

        Raises:
            NoRoom: none in time, too many wait, or the control plane stops.
        """
        if len(self) >= self._most:
            self.crowded_out += 1
            raise refusal
        deadline_s = self._clock.now_s() + wait_s
        async with self._in_line(line) as place:
            try:
                async with asyncio.timeout(wait_s):
                    await place.lock.acquire()
            except TimeoutError:
                self.given_up += 1
                raise refusal from None
            try:
                return await self._at_the_head(deadline_s, attempt, refusal)
            finally:
                place.lock.release()

    @contextlib.asynccontextmanager
    async def _in_line(self, line: Hashable) -> AsyncIterator[_Line]:
        place = self._lines.setdefault(line, _Line())
        place.length += 1
        try:
            yield place
        finally:
            place.length -= 1
            if not place.length:
                del self._lines[line]

    async def _at_the_head(
        self, deadline_s: float, attempt: Callable[[], Awaitable[T]], refusal: NoRoom
    ) -> T:
        while not self._stopping:
            seen = self._changes.count
            try:
                placed = await attempt()
            except NoRoom as still:
                refusal = still
            else:
                self.served += 1
                return placed
            left_s = deadline_s - self._clock.now_s() - self._settle_s
            if left_s <= 0 or not await self._changed_within(seen, left_s):
                break
            await self._clock.sleep(self._settle_s)
        self.given_up += 1
        raise refusal

    async def _changed_within(self, seen: int, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await self._changes.since(seen)
        except TimeoutError:
            return False
        return True
