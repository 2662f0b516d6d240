"""A caller's way to one node, which can be cut as networks are: silently, with nothing refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shared.tasks import Tasks

_CHUNK = 4096


class Link:
    """TCP between callers and a node. `node_port` may change: a node starts again on another."""

    def __init__(self) -> None:
        self.port = 0
        """Where callers connect."""
        self.node_port = 0
        self.delay_s = 0.0
        """Each piece takes this much longer, one after the other: a link that is slow and thin."""
        self._whole = asyncio.Event()
        self._whole.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks = Tasks()

    def cut(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._whole.clear()

    def heal(self) -> None:
        """What waited passes; who gave up meanwhile is gone."""
        self._whole.set()

    def reset(self) -> None:
        """Every connection breaks at once, as with a router that starts again."""
        for writer in tuple(self._open):
            writer.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        await self._whole.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.node_port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        ways = [
            self._tasks.begin(self._pass(reader, far_writer), "there"),
            self._tasks.begin(self._pass(far_reader, writer), "back"),
        ]
        await asyncio.wait(ways)
        self._open -= {writer, far_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while data := await reader.read(_CHUNK):
                    if self.delay_s:
                        await asyncio.sleep(self.delay_s)
                    await self._whole.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.transport.abort()

    async def end(self) -> None:
        """Ends what still passes."""
        self.reset()
        await self._tasks.end()


@asynccontextmanager
async def link() -> AsyncIterator[Link]:
    """A link that leads nowhere yet."""
    one = Link()
    server = await asyncio.start_server(one.connected, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.end()
