"""A link to one server that breaks at a byte, or that passes nothing on and says nothing of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

_CHUNK = 4096


class CuttingProxy:
    """Each connection breaks when so many bytes have passed, both ways counted, inside a piece too.

    Args:
        port: of the server.
        after_bytes: of one connection after the other; those beyond it stay whole.
    """

    def __init__(self, port: int, after_bytes: Iterator[int]) -> None:
        self._target, self._after_bytes = port, after_bytes
        self._open: set[asyncio.StreamWriter] = set()
        self.cuts = self.connections = 0
        self.port = 0
        self.light = asyncio.Event()
        self.light.set()

    def darken(self) -> None:
        """As a link that was pulled."""
        self.light.clear()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        both = {writer, far_writer}
        self._open |= both
        left = [next(self._after_bytes, 1 << 60)]

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while left[0] and (data := await source.read(_CHUNK)):
                await self.light.wait()
                passing = data[: left[0]]
                left[0] -= len(passing)
                sink.write(passing)
                await sink.drain()
            for one in both:
                one.transport.abort()

        with suppress(OSError):
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
        self._open -= both
        self.cuts += not left[0]

    def close(self) -> None:
        """Ends what is open."""
        self.light.set()
        for writer in self._open:
            writer.transport.abort()


@asynccontextmanager
async def cutting_proxy(port: int, after_bytes: Iterator[int]) -> AsyncIterator[CuttingProxy]:
    """In front of a port of this machine."""
    proxy = CuttingProxy(port, after_bytes)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.close()
        server.close()
        await server.wait_closed()
