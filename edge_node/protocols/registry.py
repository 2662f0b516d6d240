"""Every open connection of the node: how many there may be, and who has run out of time."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import Protocol

from edge_node.protocols.deadlines import Deadlines
from edge_node.protocols.goodbye import Goodbye
from edge_node.protocols.sockets import Socket
from shared.clock import Clock


class Abortable(Protocol):
    """A connection below its protocol."""

    def abort(self) -> None:
        """Closes at once."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections, and for how long without a word."""

    connections: int = 4096
    """Each costs a file descriptor, and some 10 kB while it says nothing."""
    reserved: int = 64
    """Kept for plain requests, so that a node full of streams still answers its probes."""
    request_s: float = 10.0
    """For a complete request. Longer forgives worse links, and holds more silent peers."""
    unread_s: float = 30.0
    """How long a response may wait for its reader."""
    goodbye_s: float = 5.0
    """How long a peer may take to answer a close."""

    @property
    def silent(self) -> int:
        """Connections that may be waiting to say something at one time."""
        return self.connections // 2

    @property
    def sockets(self) -> int:
        """Connections that may be WebSockets at one time."""
        return self.connections - self.reserved


class Registry:
    """The node's connections, and the one pass over them each second."""

    def __init__(self, limits: ConnectionLimits, clock: Clock) -> None:
        self.limits, self._clock = limits, clock
        self.open = 0
        self.sockets: set[Socket] = set()
        self.ended: Counter[str] = Counter()
        """Connections that the node itself ended, by reason."""
        self.draining = False
        self._silent: Deadlines[Abortable] = Deadlines(limits.request_s)
        self._undecided: Deadlines[Abortable] = Deadlines(inf)
        self._unread: Deadlines[Abortable] = Deadlines(limits.unread_s)
        self._closing: Deadlines[Abortable] = Deadlines(limits.goodbye_s)

    def now_s(self) -> float:
        """The clock that deadlines are measured on."""
        return self._clock.now_s()

    @property
    def silent(self) -> int:
        """Connections that have not said anything complete yet."""
        return len(self._silent)

    # --- plain connections ---

    def arrived(self, connection: Abortable) -> None:
        """A new connection: it is always the oldest silent one that makes room.

        So a flood of silent peers pushes out its own, never a session, and a newcomer who speaks
        within the time of some thousand others is heard.
        """
        self.open += 1
        full = self.open > self.limits.connections
        if (full or len(self._silent) >= self.limits.silent) and (oldest := self._silent.oldest()):
            self._abort(oldest, "silent_crowded_out")
        elif full:
            self._abort(connection, "no_room")
            return
        self._silent.start(connection, self.now_s())

    def asking(self, connection: Abortable) -> None:
        """A request began; its time runs from here, or from the connection's first moment."""
        if connection not in self._silent:
            self._silent.start(connection, self.now_s())

    def asked(self, connection: Abortable) -> None:
        """A request is complete."""
        self._silent.stop(connection)

    def unread(self, connection: Abortable) -> None:
        """A response waits for its reader."""
        self._unread.start(connection, self.now_s())

    def read(self, connection: Abortable) -> None:
        """A response moves on."""
        self._unread.stop(connection)

    def left(self, connection: Abortable) -> None:
        """A connection is gone."""
        self.open -= 1
        for deadlines in (self._silent, self._unread):
            deadlines.stop(connection)

    # --- WebSockets ---

    def room_for_socket(self) -> bool:
        """Whether one more connection may become a WebSocket.

        Where all places are taken, the oldest that has not said anything since its handshake
        makes room, as with plain connections.
        """
        if len(self.sockets) < self.limits.sockets:
            return True
        if (oldest := self._undecided.oldest()) is None:
            return False
        self._abort(oldest, "undecided_crowded_out")
        return True

    def joined(self, socket: Socket, transport: Abortable) -> None:
        """A connection became a WebSocket."""
        self.sockets.add(socket)
        self._undecided.start(transport, self.now_s())

    def spoke(self, transport: Abortable) -> None:
        """The first message came: from here on the session itself keeps the time."""
        self._undecided.stop(transport)

    def parted(self, socket: Socket, transport: Abortable) -> None:
        """A WebSocket is gone."""
        self.open -= 1
        self.sockets.discard(socket)
        for deadlines in (self._undecided, self._closing):
            deadlines.stop(transport)

    def await_close(self, transport: Abortable) -> None:
        """The peer of `transport` should close soon."""
        self._closing.start(transport, self.now_s())

    def say_goodbye(self, transport: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
        """Sends what is left and the end of the stream, discards what comes, then closes.

        To close with unread bytes in the kernel would send a reset, and a reset can overtake the
        last message: the peer would never learn why.
        """
        if transport.is_closing():
            return
        if not transport.can_write_eof():  # TLS
            transport.close()
            return
        transport.set_protocol(Goodbye(transport, protocol, self._closing.stop))
        transport.resume_reading()
        transport.write_eof()
        self.await_close(transport)

    def abort(self, transport: Abortable, reason: str) -> None:
        """Closes at once, and counts why."""
        self._abort(transport, reason)

    # --- all ---

    def tick(self) -> None:
        """About once a second."""
        now_s = self.now_s()
        for deadlines, reason in (
            (self._silent, "no_request"),
            (self._unread, "unread"),
            (self._closing, "no_goodbye"),
        ):
            for late in deadlines.expired(now_s):
                self._abort(late, reason)
        for socket in tuple(self.sockets):
            socket.tick(now_s)

    def drain(self, deadline_ms: int) -> None:
        """No new sessions; live ones end by themselves or at the deadline."""
        self.draining = True
        for socket in tuple(self.sockets):
            socket.conversation.drain(deadline_ms)

    def end_all(self) -> None:
        """Nobody may stay."""
        for socket in tuple(self.sockets):
            socket.conversation.drain_over()

    def _abort(self, connection: Abortable, reason: str) -> None:
        self.ended[reason] += 1
        connection.abort()
