"""A TCP link that takes its time: bytes come in order, each `delay_s` after it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from shared.tasks import Tasks

_PIECES = 1024


@dataclass
class SlowLink:
    """Stands between a client and a server; `delay_s` may change while it runs."""

    port: int
    """Of the server."""
    delay_s: float
    """Each way."""
    here: int = field(init=False, default=0)
    """Where clients connect."""
    _tasks: Tasks = field(init=False, default_factory=Tasks)
    _ends: list[asyncio.StreamWriter] = field(init=False, default_factory=list)

    async def carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, out = await asyncio.open_connection("127.0.0.1", self.port)
        self._ends += [back, out]
        ways = [
            self._tasks.begin(self._one_way(near, out), "there"),
            self._tasks.begin(self._one_way(far, back), "back"),
        ]
        await asyncio.wait(ways)

    async def end(self) -> None:
        """Cuts what still goes through it."""
        await self._tasks.end()
        for writer in self._ends:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _one_way(self, come: asyncio.StreamReader, go: asyncio.StreamWriter) -> None:
        now_s = asyncio.get_running_loop().time
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_PIECES)

        async def arrive() -> None:
            data = b"?"
            while data:
                due_s, data = await under_way.get()
                await asyncio.sleep(max(0.0, due_s - now_s()))
                go.write(data)
                await go.drain()
            go.close()

        arriving = self._tasks.begin(arrive(), "arrive")
        data = b"?"
        while data:
            with suppress(ConnectionError):
                data = await come.read(65536)
            await under_way.put((now_s() + self.delay_s, data))
        await asyncio.wait([arriving])


@asynccontextmanager
async def slow_link(port: int, delay_s: float) -> AsyncIterator[SlowLink]:
    """A link to a server on this machine."""
    link = SlowLink(port, delay_s)
    server = await asyncio.start_server(link.carry, "127.0.0.1", 0)
    link.here = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await link.end()
