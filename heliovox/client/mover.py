"""Follows a `redirect` in the middle of a session: what the old node did not hear is sent again.

Whoever reads carries it out. Those who send meanwhile wait; what they send is kept, and goes the
same way as all that was kept before.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from heliovox.client.errors import ConnectionLost, NodeMisbehaved, TimedOut
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine
from heliovox.client.outbox import Outbox
from heliovox.protocol import messages as m
from heliovox.protocol.codec import encode

MAX_REDIRECTS = 3
"""A node sends on to a seat that is held, so one is usual; more are a race, and many a circle."""

Reopen = Callable[[m.Redirect], Awaitable[ClientConnection]]
"""A connection to where somebody sends us, nothing said on it yet. Raises ClientError."""


class Mover:
    """Of one session."""

    def __init__(
        self, machine: SessionMachine, outbox: Outbox, reopen: Reopen, limits: Limits
    ) -> None:
        self._machine, self._outbox, self._reopen = machine, outbox, reopen
        self._limits = limits
        self.redirects: list[m.Redirect] = []
        """All that were followed in the middle of the session."""

    async def move(self, redirect: m.Redirect, old: ClientConnection) -> ClientConnection:
        """Goes on at the other node.

        Raises:
            ClientError: it cannot, and the session is over.
        """
        with self._outbox.held():
            await self._leave(old)
            socket = await self._opened(redirect)
            try:
                await self._catch_up(socket)
            except ConnectionClosed as error:
                raise ConnectionLost(None, "the next node closed the connection") from error
            self._outbox.go_on(socket)
        return socket

    async def _opened(self, redirect: m.Redirect) -> ClientConnection:
        for _ in range(MAX_REDIRECTS):
            self.redirects.append(redirect)
            socket = await self._reopen(redirect)
            answer = await self._knock(socket)
            if isinstance(answer, m.Started):
                return socket
            await self._leave(socket)
            redirect = answer
        raise NodeMisbehaved(f"sent on {MAX_REDIRECTS} times, at last by {redirect.url}; report it")

    async def _knock(self, socket: ClientConnection) -> "m.Started | m.Redirect":
        try:
            async with asyncio.timeout(self._limits.open_s):
                await socket.send(encode(self._machine.hello()), text=True)
                answer = self._machine.text(await socket.recv())
                while isinstance(answer, m.Waiting):
                    answer = self._machine.text(await socket.recv())
        except ConnectionClosed as error:
            raise ConnectionLost(None, "the next node closed the connection") from error
        except TimeoutError as error:
            raise TimedOut("the next node's answer", self._limits.open_s) from error
        if not isinstance(answer, (m.Started, m.Redirect)):
            raise NodeMisbehaved(f"{type(answer).__name__} where started belongs")
        return answer

    async def _catch_up(self, socket: ClientConnection) -> None:
        """Returns with nothing left to say, and without a pause since that was so."""
        while unsaid := self._machine.unsaid(self._limits.piece_bytes):
            for one in unsaid:
                if isinstance(one, bytes):
                    await socket.send(one)
                else:
                    await socket.send(encode(one), text=True)

    async def _leave(self, socket: ClientConnection) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.close_s):
                await socket.close()
