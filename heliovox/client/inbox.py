"""Reads the connection on behalf of whoever waits for an event.

There is no reading task: a reader that finds nothing for itself reads the next message and hands it
to whom it belongs. So nothing runs when nobody waits, and the connection's own back-pressure holds.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from heliovox.client.errors import ClientError, ConnectionLost, TimedOut
from heliovox.client.events import AudioOut, Event
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine, State
from heliovox.client.mover import Mover
from heliovox.client.outbox import Outbox
from heliovox.protocol import messages as m

MAIN = ""
"""The reader of everything that no other reader asked for."""


class Inbox:
    """Events by reader, in the order in which the node sent them."""

    def __init__(
        self, socket: ClientConnection, machine: SessionMachine, outbox: Outbox, limits: Limits
    ) -> None:
        self.socket, self._machine, self._outbox = socket, machine, outbox
        self.mover: Mover | None = None
        """Follows where the session is sent on in its middle."""
        self._limits = limits
        self._queues: dict[str, deque[Event]] = {MAIN: deque()}
        self._abandoned: set[str] = set()
        self._over: set[str] = set()
        """Of the readers' texts: those that are said or cancelled."""
        self._reading = asyncio.Lock()
        self._taken = asyncio.Event()
        self._end: ClientError | None = None
        self._said_ended = False

    @property
    def ended(self) -> bool:
        """Whether `Ended` was the last event handed to the main reader."""
        return self._said_ended and not self._queues[MAIN]

    async def next(self, reader: str = MAIN, limit_s: float | None = None) -> Event:
        """The reader's next event.

        Raises:
            ClientError: the session's end, or no message at all for `limit_s`.
        """
        queue = self._queues[reader]
        while not queue:
            async with self._reading:
                if not queue:
                    await self._read_one(limit_s)
        self._taken.set()
        return queue.popleft()

    @contextmanager
    def reader(self, speak_id: str) -> Iterator[str]:
        """While inside, events of one spoken text wait for their own reader; then nobody's."""
        self._queues[speak_id] = deque()
        try:
            yield speak_id
        finally:
            del self._queues[speak_id]
            if speak_id not in self._over:
                self._abandoned.add(speak_id)
            self._over.discard(speak_id)

    async def read_to_the_end(self, epoch: int) -> ClientError | None:
        """Why the connection closed, once it did: the node's own words where it left any.

        Args:
            epoch: of the outbox, in which it closed.

        Returns:
            None where the session goes on at another node.
        """
        async with self._reading:
            try:
                while self._outbox.epoch == epoch:
                    await self._read_one(self._limits.close_s)
            except ClientError as error:
                return error
        return None

    async def _read_one(self, limit_s: float | None) -> None:
        if self._end is not None:
            raise self._end
        await self._wait_for_room()
        try:
            data = await self._receive(limit_s)
            event = self._machine.text(data) if isinstance(data, str) else self._machine.audio(data)
        except TimedOut:
            raise
        except ClientError as error:
            self._end = error
            raise
        if isinstance(event, m.Redirect) and self._machine.state is State.MOVING:
            await self._go_on(event)
        if event is not None:
            self._deliver(event)

    async def _go_on(self, redirect: m.Redirect) -> None:
        if self.mover is None:
            return
        self._end = ConnectionLost(None, "moving to another node was interrupted")
        try:
            self.socket = await self.mover.move(redirect, self.socket)
        except ClientError as error:
            self._end = error
            raise
        self._end = None

    def _deliver(self, event: Event) -> None:
        speak_id = (event.id if isinstance(event, _OF_A_TEXT) else None) or MAIN
        if speak_id in self._abandoned:
            if isinstance(event, m.Spoken):
                self._abandoned.discard(speak_id)
            return
        if isinstance(event, m.Spoken) and speak_id in self._queues:
            self._over.add(speak_id)
        self._queues.get(speak_id, self._queues[MAIN]).append(event)
        self._said_ended = self._said_ended or isinstance(event, m.Ended)

    async def _wait_for_room(self) -> None:
        """The reader that calls has an empty queue: a full one is another's to empty."""
        while any(len(queue) >= self._limits.events for queue in self._queues.values()):
            self._taken.clear()
            try:
                async with asyncio.timeout(self._limits.unread_s):
                    await self._taken.wait()
            except TimeoutError as error:
                raise TimedOut(
                    "reading the session's other events", self._limits.unread_s
                ) from error

    async def _receive(self, limit_s: float | None) -> str | bytes:
        waited_s = 0.0
        while limit_s is None or waited_s < limit_s:
            wait_s = min(self._limits.keepalive_s, limit_s or self._limits.keepalive_s)
            try:
                async with asyncio.timeout(wait_s):
                    return await self.socket.recv()
            except TimeoutError:
                waited_s += wait_s
                await self._outbox.keep_alive()
            except ConnectionClosed as error:
                raise lost(error) from error
        raise TimedOut("the node's next message", limit_s or 0.0)


_OF_A_TEXT = (m.Speaking, AudioOut, m.VoiceSwitched, m.Notice, m.Spoken)


def lost(error: ConnectionClosed) -> ConnectionLost:
    """The connection's end as the SDK says it."""
    frame = error.rcvd or error.sent
    return ConnectionLost(frame.code if frame else None, frame.reason if frame else "no close")
