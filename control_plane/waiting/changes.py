"""Says that the fleet is other than before, to whoever waits for it."""

import asyncio


class Changes:
    """Counts them; whoever has seen so many can wait for more."""

    def __init__(self) -> None:
        self.count = 0
        self._next: asyncio.Event | None = None  # where nobody waits: every report is a change

    def changed(self) -> None:
        """Something changed that a decision may depend on."""
        self.count += 1
        if self._next is not None:
            self._next.set()
            self._next = None

    async def since(self, count: int) -> None:
        """Returns once more than `count` changes have been."""
        while self.count == count:
            if self._next is None:
                self._next = asyncio.Event()
            await self._next.wait()
