"""Says things to the node, in order, at the pace at which the connection takes them."""

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from heliovox.protocol import messages as m
from heliovox.protocol.codec import encode


class Outbox:
    """Raises websockets' ConnectionClosed where the connection is gone."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._waiting = 0
        self._spoke = False
        self._ack: m.Ack | None = None

    async def say(self, message: m.ClientMessage) -> None:
        """A JSON message."""
        await self._send(encode(message), text=True)

    async def audio(self, data: bytes) -> None:
        """A binary message."""
        await self._send(data, text=False)

    async def acknowledge(self, ack: m.Ack) -> None:
        """An acknowledgement: at once, or, while somebody waits to send, right after him.

        A reader must not wait for the node to read: the node may itself be waiting for the reader.
        """
        self._ack = ack
        if not self._waiting:
            await self._send_ack()

    async def keep_alive(self) -> None:
        """A sign of life, unless there was another one since the last call."""
        if not self._spoke and not self._waiting:
            try:
                await self.say(m.KeepAlive())
            except ConnectionClosed:
                return  # reading says why, and better
        self._spoke = False

    async def _send(self, data: bytes, *, text: bool) -> None:
        self._waiting += 1
        try:
            await self._socket.send(data, text=text)
        finally:
            self._waiting -= 1
        self._spoke = True
        if self._ack is not None and not self._waiting:
            await self._send_ack()

    async def _send_ack(self) -> None:
        ack, self._ack = self._ack, None
        if ack is not None:
            await self._send(encode(ack), text=True)
