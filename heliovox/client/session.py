"""One session with a node: audio in, events out; text in, audio out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from heliovox.client.errors import ClientError, NodeMisbehaved, Refused
from heliovox.client.events import AudioOut, Event, Resumed
from heliovox.client.inbox import Inbox
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine, State
from heliovox.client.mover import Mover
from heliovox.client.outbox import Outbox
from heliovox.client.waits import Waits, in_line_of
from heliovox.protocol import messages as m
from heliovox.protocol.control import Placed


class Session:
    """Made by `Client.session`. One task may send while another one iterates.

    Iterate while you send: an unread session holds the node up, and it ends one after 30 s.
    Every method raises a `ClientError` once the session is over.
    """

    started: m.Started
    """What the node opened, set before the session is handed out; with `Resumed`, what the next one
    did."""
    placed: Placed | None = None
    """How the control plane placed the session; None where a node was called without it."""
    redirects: tuple[m.Redirect, ...] = ()
    """On the way and in the middle of the session, first one first."""

    def __init__(
        self,
        socket: ClientConnection,
        machine: SessionMachine,
        limits: Limits,
        *,
        acknowledge: bool,
        live: bool = False,
        goes_on: Callable[[SessionMachine, Outbox], Mover] | None = None,
    ) -> None:
        self.machine = machine
        self._limits, self._acknowledges, self._live = limits, acknowledge, live
        self._outbox = Outbox(socket)
        self._inbox = Inbox(socket, machine, self._outbox, limits)
        if goes_on is not None:
            self._inbox.mover = goes_on(machine, self._outbox)
        self._handed = 0
        self._texts = 0

    async def open(self, waits: Waits | None = None) -> m.Redirect | None:
        """Says `start` and waits for `started`. `Client.session` does this.

        Args:
            waits: told of the place in line, where the node keeps us waiting for a seat.

        Returns:
            Where to go instead, None where the session is open.
        """
        await self._say(self.machine.start)
        first = await self._inbox.next(limit_s=self._limits.open_s)
        told = 0
        while isinstance(first, m.Waiting):  # comes again every few seconds
            if waits is not None and first.version != told:
                waits(in_line_of(first))
            told = first.version
            first = await self._inbox.next(limit_s=self._limits.open_s)
        if isinstance(first, m.Redirect):
            return first
        if not isinstance(first, m.Started):
            raise NodeMisbehaved(f"{type(first).__name__} where started belongs")
        self.started = first
        return None

    @property
    def missing_samples(self) -> int:
        """Of all gaps together."""
        return self.machine.missing_samples

    async def send(self, audio: bytes) -> None:
        """Sends audio in the session's format; any length, a sample may be split over calls.

        While the connection is lost it is kept. Where no more can be kept (`Limits.kept_s`) this
        waits; in a `live` session the oldest is dropped instead, and `Gap` tells of it.
        """
        for at in range(0, len(audio), self._limits.piece_bytes):
            piece = bytes(audio[at : at + self._limits.piece_bytes])
            while not self._live and not self.machine.has_room(len(piece)):
                await self._inbox.read_on()
            epoch, behind = self._outbox.epoch, self._behind()
            self.machine.sent(piece)
            if not behind:
                await self._through(self._outbox.audio(piece, epoch), epoch)

    async def flush(self, flush_id: str = "") -> None:
        """Asks for finals of everything sent so far; `Flushed` follows them."""
        await self._wish(m.Flush(flush_id))

    async def marker(self, marker_id: str = "") -> None:
        """Asks for a sign (`MarkerReached`) once all words of earlier audio are out."""
        await self._wish(m.Marker(marker_id))

    async def ack(self, seq: int) -> None:
        """Says that finals up to `seq` are stored, in a session opened with `acknowledge=False`."""
        if (ack := self.machine.stored(seq)) is not None:
            await self._say(ack)  # the latest is said again to the next node

    async def speak(
        self,
        text: str,
        *,
        speak_id: str | None = None,
        voice: str | None = None,
        speed: float = 1.0,
    ) -> str:
        """Has a text said; its audio comes as `AudioOut` among the session's events.

        Returns:
            The id that its events carry.
        """
        self._texts += 1
        name = speak_id or f"text-{self._texts}"
        await self._say(m.Speak(name, text, voice, speed))
        return name

    async def say(
        self, text: str, *, voice: str | None = None, speed: float = 1.0
    ) -> AsyncGenerator[bytes, None]:
        """Has a text said and yields its audio; leaving early cancels the rest.

        Raises:
            Refused: the node cannot say it, or not to its end; the session goes on.
        """
        self._texts += 1
        with self._inbox.reader(f"text-{self._texts}") as reader:
            await self._say(m.Speak(reader, text, voice, speed))
            problem: m.Notice | None = None
            spoken: m.Spoken | None = None
            try:
                while spoken is None:
                    match await self._inbox.next(reader, self._limits.answer_s):
                        case AudioOut(data=data):
                            yield data
                        case m.Notice() as problem:
                            pass
                        case m.Spoken() as spoken:
                            pass
                        case _:
                            pass
            finally:
                if spoken is None:
                    await self._cancel_quietly(reader)
            if problem is not None and spoken.cancelled:
                raise Refused.because(problem)

    async def cancel(self, speak_id: str) -> None:
        """Stops a text, spoken or waiting; `Spoken` with `cancelled` answers."""
        await self._say(m.Cancel(speak_id))

    async def keepalive(self) -> None:
        """Says that a silent caller is there. Iterating does this by itself."""
        await self._say(m.KeepAlive())

    async def finish(self) -> None:
        """No more audio, nothing more to say. Go on iterating until `Ended`."""
        if self.machine.finish():
            await self._say(m.Finish())

    async def close(self) -> None:
        """Leaves, with or without an end. `Client.session` does this."""
        await self._inbox.close()
        try:
            async with asyncio.timeout(self._limits.close_s):
                await self._inbox.socket.close()
        except TimeoutError:  # a close frame waits behind audio that the node does not read
            self._inbox.socket.transport.abort()
            await self._inbox.socket.wait_closed()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        """The next event; the one before counts as handled, and a final as stored."""
        await self._acknowledge_handed()
        if self._inbox.ended:
            raise StopAsyncIteration
        finishing = self.machine.state is State.FINISHING
        event = await self._inbox.next(limit_s=self._limits.answer_s if finishing else None)
        if isinstance(event, m.Final):
            self._handed = event.seq
        elif isinstance(event, m.Redirect):
            self.redirects = (*self.redirects, event)
        elif isinstance(event, Resumed) and self.machine.started is not None:
            self.started = self.machine.started
        return event

    async def _acknowledge_handed(self) -> None:
        if not self._acknowledges or (ack := self.machine.stored(self._handed)) is None:
            return
        try:
            await self._outbox.acknowledge(ack)
        except ConnectionClosed:
            return  # reading goes on to the node's last word

    async def _wish(self, wish: m.Flush | m.Marker) -> None:
        while not self.machine.may_ask():
            await self._inbox.read_on()
        await self._say(wish)

    async def _say(self, message: m.ClientMessage) -> None:
        """What is said while there is no connection, the next node is told."""
        epoch, behind = self._outbox.epoch, self._behind()
        self.machine.asked(message)
        if behind:
            return
        await self._through(self._outbox.say(message, epoch), epoch)

    def _behind(self) -> bool:
        """Whether what is said now is kept for the next node. Raises where there will be none."""
        if self.machine.behind:
            self._inbox.must_go_on()
        return self.machine.behind

    async def _through(self, sending: Awaitable[None], epoch: int) -> None:
        """What could not be sent because the connection is lost, the next node is told."""
        try:
            await sending
        except ConnectionClosed as error:
            if (why := await self._inbox.read_to_the_end(epoch)) is not None:
                raise why from error

    async def _cancel_quietly(self, speak_id: str) -> None:
        try:
            await self.cancel(speak_id)
        except ClientError:
            return
