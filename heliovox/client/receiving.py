"""The next message of a connection, or the news that it is gone."""

import asyncio
from collections.abc import Awaitable

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from heliovox.client.errors import ConnectionLost, TimedOut
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine
from heliovox.client.outbox import Outbox
from heliovox.client.pulse import Beat, Pulse


class Silent(ConnectionLost):
    """No sign of life: what became of the node, nobody knows."""

    def __init__(self, detect_s: float) -> None:
        super().__init__(None, f"no sign of life for {detect_s:g} s")


class Receiver:
    """Waits for one message at a time, and looks meanwhile whether the node still lives."""

    def __init__(self, machine: SessionMachine, outbox: Outbox, limits: Limits) -> None:
        self._machine, self._outbox, self._limits = machine, outbox, limits
        self._pong: asyncio.Future[float] | None = None
        self._pinged_byte = 0

    async def receive(self, socket: ClientConnection, limit_s: float | None) -> str | bytes:
        """The next message.

        Raises:
            ConnectionLost: the connection has ended; Silent where it only seems so.
            TimedOut: nothing came for `limit_s`.
        """
        watched = self._machine.recovers
        pulse = Pulse(self._limits.detect_s)
        waited_s = unheard_s = 0.0
        while limit_s is None or waited_s < limit_s:
            wait_s = min(self._limits.keepalive_s, limit_s or self._limits.keepalive_s)
            wait_s = min(wait_s, pulse.slice_s) if watched else wait_s
            try:
                async with asyncio.timeout(wait_s):
                    return await socket.recv()
            except TimeoutError:
                waited_s, unheard_s = waited_s + wait_s, unheard_s + wait_s
                if watched:
                    await self._look(socket, pulse)
                if unheard_s >= self._limits.keepalive_s:
                    unheard_s = 0.0
                    await self._outbox.keep_alive()
            except ConnectionClosed as error:
                raise lost(error) from error
        raise TimedOut("the node's next message", limit_s or 0.0)

    async def _look(self, socket: ClientConnection, pulse: Pulse) -> None:
        answered = self._pong is not None and self._pong.done()
        if answered:
            self._machine.read_up_to(self._pinged_byte)
        held_back = socket.transport.get_write_buffer_size() > 0
        match pulse.silence(answered=answered, held_back=held_back):
            case Beat.PING:
                await self._ping(socket, pulse)
            case Beat.DEAD:
                raise Silent(self._limits.detect_s)
            case Beat.WAIT:
                pass

    async def _ping(self, socket: ClientConnection, pulse: Pulse) -> None:
        self._pinged_byte = self._machine.kept.sent_bytes
        try:
            async with asyncio.timeout(pulse.slice_s):
                self._pong = _future(await socket.ping())
        except (TimeoutError, ConnectionClosed):
            self._pong = None
            return  # reading says what it is
        pulse.pinged(self._machine.unread_s)


def _future(pong: Awaitable[float]) -> asyncio.Future[float]:
    assert isinstance(pong, asyncio.Future)
    return pong


def lost(error: ConnectionClosed) -> ConnectionLost:
    """The connection's end as the SDK says it."""
    frame = error.rcvd or error.sent
    return ConnectionLost(frame.code if frame else None, frame.reason if frame else "no close")
