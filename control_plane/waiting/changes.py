"""Says that the fleet is other than before, to whoever waits for it."""

import asyncio


class Changes:
    """Counts them; whoever has seen so many can wait for more."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def changed(self) -> None:
        """Something changed that a decision may depend on."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def since(self, count: int) -> None:
        """Returns once more than `count` changes have been."""
        while self.count == count:
            await self._next.wait()
