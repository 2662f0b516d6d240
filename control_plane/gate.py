"""How many orders are decided and reserved at one time; the others stand in line, in order.

Without it a burst of thousands asks for thousands of seats at once: the event loop reads nobody's
answer in time, and nodes that answered count as silent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.errors import Overloaded

AT_ONCE = 128
"""With nodes 80 ms away these are 1,600 seats a second, more than a control plane decides on a
core. More makes each of them slower, and none of them sooner."""
MOST_WAITING = 16_384
"""In line. A request that waits takes some 10 kB; the rest are refused at once."""


class Gate:
    """Lets so many in.

    Args:
        at_once: inside.
        most_waiting: in line; further ones are refused.
        wait_s: in line, at most.
    """

    def __init__(
        self,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
        wait_s: float = 25.0,
    ) -> None:
        self._inside = asyncio.Semaphore(at_once)
        self._most, self._wait_s = most_waiting, wait_s
        self.waiting = 0
        """In line now."""
        self.turned_away = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One's turn, from its beginning to its end. Raises Overloaded."""
        if self._inside.locked():
            await self._stand_in_line()
        else:
            await self._inside.acquire()
        try:
            yield
        finally:
            self._inside.release()

    async def _stand_in_line(self) -> None:
        if self.waiting >= self._most:
            raise self._turned_away(f"{self.waiting} requests wait already")
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._inside.acquire()
        except TimeoutError:
            raise self._turned_away(f"no turn within {self._wait_s:g} s") from None
        finally:
            self.waiting -= 1

    def _turned_away(self, why: str) -> Overloaded:
        self.turned_away += 1
        return Overloaded(
            f"this control plane has more to do than it can: {why}",
            remedy="ask another control plane, or again in some seconds",
        )
