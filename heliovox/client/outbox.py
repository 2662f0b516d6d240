"""Says things to the node, in order, at the pace at which the connection takes them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

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
        self._holders = 0
        self._may_send = asyncio.Event()
        self._may_send.set()
        self.epoch = 0
        """Changes when the session goes on at another node."""

    async def say(self, message: m.ClientMessage, epoch: int | None = None) -> None:
        """A JSON message.

        Args:
            message: to say.
            epoch: in which it was kept; one of an earlier epoch was said again already.
        """
        await self._send(encode(message), text=True, epoch=epoch)

    async def audio(self, data: bytes, epoch: int | None = None) -> None:
        """A binary message, likewise."""
        await self._send(data, text=False, epoch=epoch)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While inside, nobody sends: the session goes to another connection."""
        self._holders += 1
        self._may_send.clear()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._may_send.set()

    def go_on(self, socket: ClientConnection) -> None:
        """All that was kept has been said there."""
        self._socket, self._ack = socket, None
        self.epoch += 1

    async def acknowledge(self, ack: m.Ack) -> None:
        """An acknowledgement: at once, or, while somebody waits to send, right after him.

        A reader must not wait for the node to read: the node may itself be waiting for the reader.
        """
        if not self._may_send.is_set():
            return
        self._ack = ack
        if not self._waiting:
            await self._send_ack()

    async def keep_alive(self) -> None:
        """A sign of life, unless there was another one since the last call."""
        if not self._spoke and not self._waiting and self._may_send.is_set():
            try:
                await self.say(m.KeepAlive())
            except ConnectionClosed:
                return  # reading says why, and better
        self._spoke = False

    async def _send(self, data: bytes, *, text: bool, epoch: int | None = None) -> None:
        self._waiting += 1
        try:
            await self._may_send.wait()
            if epoch not in (None, self.epoch):
                return
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
