"""The last protocol of a connection: hears nothing, waits for the peer's end."""

import asyncio
from collections.abc import Callable


class Goodbye(asyncio.Protocol):
    """Discards what comes; tells the protocol before it once the connection is gone."""

    def __init__(
        self,
        transport: asyncio.Transport,
        before: asyncio.BaseProtocol,
        gone: Callable[[asyncio.Transport], None],
    ) -> None:
        self._transport, self._before, self._gone = transport, before, gone

    def data_received(self, data: bytes) -> None:
        """Too late."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer closed too, or his time ran out."""
        self._gone(self._transport)
        self._before.connection_lost(exc)
