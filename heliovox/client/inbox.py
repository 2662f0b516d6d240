"""Reads the connection on behalf of whoever waits for an event.

There is no reading task: a reader that finds nothing for itself reads the next message and hands it
to whom it belongs. So nothing runs when nobody waits, and the connection's own back-pressure holds.
Only the way back to a session whose connection was lost is an errand of its own: it goes on though
the reader that noticed is cancelled, and readers wait for what it tells.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from heliovox.client.errands import Errands
from heliovox.client.errors import ClientError, ConnectionLost, TimedOut
from heliovox.client.events import AudioOut, Event
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine, State
from heliovox.client.mover import Loss, Mover
from heliovox.client.outbox import Outbox
from heliovox.client.receiving import Receiver, Silent
from heliovox.client.ways import is_loss
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
        """Goes on with the session after its connection, if anybody does."""
        self._limits = limits
        self._receiver = Receiver(machine, outbox, limits)
        self._queues: dict[str, deque[Event]] = {MAIN: deque()}
        self._abandoned: set[str] = set()
        self._over: set[str] = set()
        """Of the readers' texts: those that are said or cancelled."""
        self._reading = asyncio.Lock()
        self._taken = asyncio.Event()
        self._news = asyncio.Event()
        """While there is no connection: something is to be looked at."""
        self._between = False
        self._errands = Errands()
        self._end: Exception | None = None
        self._said_ended = self._closed = False

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
            None where the session goes on over another connection.
        """
        async with self._reading:
            try:
                while self._outbox.epoch == epoch and not self._machine.behind:
                    await self._read_one(self._limits.close_s)
            except ClientError as error:
                return error
        return None

    async def read_on(self) -> None:
        """Reads one message, whoever it is for, or waits for what becomes of the connection.

        Raises:
            ClientError: the session's end.
        """
        async with self._reading:
            await self._read_one(None)

    def must_go_on(self) -> None:
        """Raises the session's end, where it cannot be gone on with."""
        if self._end is not None and not self._between:
            raise self._end

    async def close(self) -> None:
        """From now on nobody goes on with the session after its connection."""
        self._closed = True
        await self._errands.close()

    async def _read_one(self, limit_s: float | None) -> None:
        if self._between:
            self._news.clear()
            await self._news.wait()
            return
        if self._end is not None:
            raise self._end
        await self._wait_for_room()
        socket = self.socket
        try:
            event = await self._event(socket, limit_s)
        except TimedOut:
            raise
        except Silent as silent:
            self._lose(Loss(ConnectionLost(None, str(silent)), silent=True))
        except ConnectionLost as error:
            self._lose(Loss(error))
        except ClientError as error:
            self._end = error
            raise
        else:
            self._came(event)

    def _came(self, event: Event | None) -> None:
        if isinstance(event, m.Ended) and event.reason == "finish":
            for answer in self._machine.settled():
                self._deliver(answer)
        if event is not None:
            self._deliver(event)
        if isinstance(event, m.Redirect) and self._machine.state is State.MOVING:
            interrupted = ConnectionLost(None, "moving to another node was interrupted")
            self._lose(Loss(interrupted, redirect=event))

    async def _event(self, socket: ClientConnection, limit_s: float | None) -> Event | None:
        data = await self._receiver.receive(socket, limit_s)
        return self._machine.text(data) if isinstance(data, str) else self._machine.audio(data)

    # --- the connection is gone ---

    def _lose(self, loss: Loss) -> None:
        """Another one is sought, or the session is over. Raises the loss's error then."""
        code = loss.error.code if isinstance(loss.error, ConnectionLost) else None
        goes_on = loss.redirect is not None or (self._machine.recovers and is_loss(code))
        if self.mover is None or not goes_on or self._closed:
            self._end = self._end or loss.error
            raise self._end
        if loss.silent:
            self.socket.transport.abort()
        self._machine.lost()
        self._between = True
        self._errands.begin(self._go_on(self.mover, loss), name="another connection")

    async def _go_on(self, mover: Mover, loss: Loss) -> None:
        old = self.socket
        try:
            with self._outbox.held():
                self.socket = await mover.go_on(loss, self._deliver)
                self._arrived()
                await mover.catch_up(self.socket)
        except ConnectionClosed:
            await self._notice(self.socket)
        except asyncio.CancelledError:
            self._arrived(loss.error)
            old.transport.abort()
            raise
        except Exception as error:  # noqa: BLE001 raised to whoever reads or sends next
            self._arrived(error)
        await self._leave(old)

    def _arrived(self, end: Exception | None = None) -> None:
        """Readers go on with the next connection, or learn that there is none."""
        self._between, self._end = False, self._end or end
        self._news.set()

    async def _notice(self, socket: ClientConnection) -> None:
        """The connection was lost again while the node was told what it missed."""
        async with self._reading:
            with suppress(ClientError):
                while self.socket is socket and not self._between and self._end is None:
                    await self._read_one(self._limits.close_s)

    async def _leave(self, old: ClientConnection) -> None:
        """The node that sent us on closes: whoever says farewell first would end the session."""
        try:
            async with asyncio.timeout(self._limits.close_s):
                await old.wait_closed()
        except TimeoutError:
            old.transport.abort()

    # --- to whom an event belongs ---

    def _deliver(self, event: Event) -> None:
        speak_id = (event.id if isinstance(event, _OF_A_TEXT) else None) or MAIN
        self._news.set()
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


_OF_A_TEXT = (m.Speaking, AudioOut, m.VoiceSwitched, m.Notice, m.Spoken)
