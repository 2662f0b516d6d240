"""What the bus's contract is asked of: connections to one exchange, and how to cut one off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from shared.bus import Bus, Entry
from shared.bus.memory import MemoryBus

T = TypeVar("T")
WAIT_S = 10.0
"""For what must come. Nothing waits for it to run out when all is well."""


@dataclass
class Exchange:
    """Where buses meet."""

    connect: Callable[[], Awaitable[Bus]]
    """Another connection; closed at the end of the test."""
    cut: Callable[[], Awaitable[None]]
    """All connections lose the server."""
    mend: Callable[[], Awaitable[None]]


@asynccontextmanager
async def memory_exchange() -> AsyncIterator[Exchange]:
    """Without a server."""
    buses: list[MemoryBus] = []

    async def connect() -> Bus:
        buses.append(buses[0].beside() if buses else MemoryBus())
        return buses[-1]

    async def cut() -> None:
        for bus in buses:
            bus.cut()

    async def mend() -> None:
        for bus in buses:
            bus.mend()

    yield Exchange(connect, cut, mend)
    for bus in buses:
        await bus.close()


class Heard:
    """A handler that remembers, and can be waited for."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.answer = answer
        self.all: list[tuple[str, bytes]] = []
        self._more = asyncio.Event()

    async def __call__(self, subject: str, data: bytes) -> bytes | None:
        self.all.append((subject, data))
        self._more.set()
        return self.answer

    async def wait(self, count: int) -> list[tuple[str, bytes]]:
        """So many messages, in the order they came."""
        async with asyncio.timeout(WAIT_S):
            while len(self.all) < count:
                self._more.clear()
                await self._more.wait()
        return self.all


async def settled(bus: Bus) -> None:
    """What this connection sent before is where it should be: its own echo came back."""
    heard = Heard()
    subscription = await bus.subscribe("test.settled", heard)
    await bus.publish("test.settled", b"")
    await heard.wait(1)
    await subscription.end()


@asynccontextmanager
async def following(stream: AsyncIterator[T]) -> AsyncIterator[Callable[[], Awaitable[T]]]:
    """Gives the next of an endless iterator, within WAIT_S."""

    async def following_one() -> T:
        async with asyncio.timeout(WAIT_S):
            return await anext(stream)

    try:
        yield following_one
    finally:
        await stream.aclose()  # type: ignore[attr-defined]


def values(entries: list[Entry | None]) -> list[tuple[str, bytes | None] | None]:
    """Without revisions."""
    return [None if entry is None else (entry.key, entry.value) for entry in entries]
