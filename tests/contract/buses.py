"""What the bus's contract is asked of: connections to one exchange, and how to cut one off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from heliovox.local.nats_process import NatsServer, nats_server_binary
from shared.bus import Bus, Entry
from shared.bus.memory import MemoryBus
from shared.bus.nats_bus import NatsBus

T = TypeVar("T")
MIB = 1 << 20
_NUMBERS = count()
WAIT_S = 10.0
"""For what must come. Nothing waits for it to run out when all is well."""


def fresh(name: str) -> str:
    """A name that no other test used on the same server."""
    return f"{name}{next(_NUMBERS)}"


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


SIMPLE = """
server_name: one
host: 127.0.0.1
port: {port}
jetstream {{ store_dir: "{store}", domain: centre }}
"""


@asynccontextmanager
async def nats_exchange(folder: Path) -> AsyncIterator[Exchange]:
    """With a real server, that asks for no credentials."""
    server = NatsServer("one", folder, nats_server_binary())
    buses: list[NatsBus] = []

    async def start() -> None:
        await server.start(SIMPLE.format(port=server.port, store=folder / "store"))

    async def connect() -> Bus:
        name = f"bus-{len(buses)}"
        bus = await NatsBus.connect(server.url, None, name=name, inbox_prefix=f"_INBOX.{name}")
        buses.append(bus)
        return bus

    async def cut() -> None:
        await server.kill()
        for bus in buses:
            await until(lambda bus=bus: not bus.connected)

    async def mend() -> None:
        await start()
        for bus in buses:
            await until(lambda bus=bus: bus.connected)

    await start()
    try:
        yield Exchange(connect, cut, mend)
    finally:
        for bus in buses:
            await bus.close()
        await server.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Looks again and again; fails after WAIT_S."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 the library has no event for it
            await asyncio.sleep(0.01)


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
