"""Passing a caller on to the node that has his session, where he cannot be redirected.

Everything goes through as it came, both ways and bounded; only `started` is told by whom it was
passed on. A relay dies with either side and leaves nothing behind.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from edge_node.ousting import OUST_S
from edge_node.protocols.peer import Peer
from heliovox.protocol import codec
from heliovox.protocol.closing import CloseCode
from heliovox.protocol.messages import (
    SUBPROTOCOL,
    Draining,
    Ended,
    Error,
    Finish,
    Speak,
    Start,
    Started,
)
from shared.errors import EngineFailed, NodeDraining, NoRoom, VoiceError
from shared.exchange import PlaceAnswer
from shared.tasks import Tasks

_log = logging.getLogger(__name__)
_quiet = logging.getLogger("edge_node.relaying.connection")
_quiet.setLevel(logging.INFO)  # at DEBUG the library writes headers and messages

HIGH_BYTES = 256 * 1024
"""On the way to the other node: beyond it the caller is not read."""
LOW_BYTES = HIGH_BYTES // 4
OPEN_S = 3.0
"""For the other node to take the connection. Longer keeps a caller waiting in silence."""
CLOSE_S = 2.0
MAX_MESSAGE_BYTES = 2 << 20
_OVERHEAD_BYTES = 64  # an empty message is not free

Dial = Callable[[str, str], Awaitable[ClientConnection]]


async def dial(url: str, ticket: str) -> ClientConnection:
    """A connection to another node. Raises OSError, TimeoutError, InvalidHandshake, InvalidURI."""
    return await connect(
        url,
        proxy=None,
        compression=None,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        additional_headers={"Authorization": f"Ticket {ticket}"},
        max_size=MAX_MESSAGE_BYTES,
        open_timeout=OPEN_S,
        close_timeout=CLOSE_S,
        logger=_quiet,
    )


class Relays:
    """All callers that this node passes on.

    Args:
        limit: at one time. Each holds two connections and up to HIGH_BYTES.
        node: this one's name, for `started`.
    """

    def __init__(self, limit: int = 0, node: str = "", to: Dial = dial) -> None:
        self.limit, self.node, self.dial = limit, node, to
        self.live = 0
        self.opened = 0
        """Ever."""
        self.failed = 0
        """Those that could not be opened, or lost the other node."""

    def check_room(self, url: str) -> None:
        """Raises NoRoom where one more would be too many."""
        if self.live >= self.limit:
            raise NoRoom(
                f"this node passes on {self.live} of {self.limit} callers already",
                field="redirect",
                value="false",
                remedy=f"say `redirect`, or connect to {url}",
            )

    def open(
        self,
        peer: Peer,
        can_write: asyncio.Event,
        answer: PlaceAnswer,
        start: Start,
        tasks: Tasks,
        over: Callable[[], None] = lambda: None,
    ) -> "Relay":
        """Begins to pass a caller on; `over` is called when nothing more is. Raises NoRoom."""
        self.check_room(answer.url)
        bare = msgspec.structs.replace(
            start, key=None, ticket=None, redirect=False, moves=False, recovers=False, resume=None
        )
        relay = Relay(peer, can_write, self, answer, bare)
        self.live += 1
        self.opened += 1
        relay.task = tasks.begin(relay.run(), name="a relay")
        relay.task.add_done_callback(self._over)
        relay.task.add_done_callback(lambda _: over())
        return relay

    def _over(self, _: object) -> None:
        self.live -= 1


class Relay:
    """One caller on his way through. Its methods return at once and never raise.

    Args:
        can_write: cleared while the caller does not read.
        start: what the other node is told, without the caller's key.
    """

    task: asyncio.Task[None]

    def __init__(
        self,
        peer: Peer,
        can_write: asyncio.Event,
        relays: Relays,
        answer: PlaceAnswer,
        start: Start,
    ) -> None:
        self._peer, self._can_write, self._relays = peer, can_write, relays
        self._answer = answer
        self._outbound: deque[tuple[bytes, bool]] = deque()
        self._bytes = 0
        self._something = asyncio.Event()
        self._started = False
        self._sample_bytes = start.audio.bytes_per_sample
        self._heard_bytes = self.heard_characters = 0
        self._parting: VoiceError | None = None
        self._put(codec.encode(start), text=True)

    @property
    def heard_samples(self) -> int:
        """Whole samples that the caller has said so far."""
        return self._heard_bytes // self._sample_bytes

    # --- from the caller ---

    def text(self, data: bytes) -> None:
        """A text message."""
        if self._parting is None:
            self.heard_characters += _characters(data)
            self._put(data, text=True)

    def audio(self, data: bytes) -> None:
        """A binary message."""
        if self._parting is None:
            self._heard_bytes += len(data)
            self._put(data, text=False)

    def lost(self) -> None:
        """The caller is gone."""
        self.task.cancel()

    def fail(self, error: VoiceError) -> None:
        """The connection cannot go on: the caller hears why."""
        self._say_last(error)
        self.task.cancel()

    def drain(self, deadline_ms: int) -> None:
        """This node will stop, and with it what it passes on."""
        self._peer.send_text(codec.encode(Draining(deadline_ms)))

    def end(self) -> None:
        """This node stops now."""
        self.fail(NodeDraining("the node in between stops", remedy="use another node"))

    async def leave(self, error: VoiceError) -> None:
        """This node may not hear the caller any more.

        The other node tells the words so far, within OUST_S; then the caller hears why.
        """
        self._parting = error
        self._put(codec.encode(Finish()), text=True)
        _, late = await asyncio.wait([self.task], timeout=OUST_S)
        if late:
            self.fail(error)

    # --- the way through ---

    async def run(self) -> None:
        """Until either side is gone."""
        try:
            socket = await self._relays.dial(self._answer.url, self._answer.ticket)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            _log.warning("%s could not be reached: %s", self._answer.node, type(error).__name__)
            self._broken(_not_taken(self._answer.node))
            return
        try:
            await self._through(socket)
        finally:
            with suppress(ConnectionClosed, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await socket.close(CloseCode.GOING_AWAY)
            socket.transport.abort()

    async def _through(self, socket: ClientConnection) -> None:
        async with asyncio.TaskGroup() as group:
            up = group.create_task(self._up(socket), name="relay up")
            await self._down(socket)
            up.cancel()

    async def _up(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # what the other node said last is still to be passed on
            while True:
                await self._something.wait()
                data, text = self._outbound[0]
                await socket.send(data, text=text)
                self._sent()

    def _sent(self) -> None:
        data, _ = self._outbound.popleft()
        self._bytes -= len(data) + _OVERHEAD_BYTES
        if not self._outbound:
            self._something.clear()
        if self._bytes <= LOW_BYTES:
            self._peer.resume_reading()

    def _put(self, data: bytes, *, text: bool) -> None:
        self._outbound.append((data, text))
        self._something.set()
        self._bytes += len(data) + _OVERHEAD_BYTES
        if self._bytes > HIGH_BYTES:
            self._peer.pause_reading()

    async def _down(self, socket: ClientConnection) -> None:
        try:
            while True:
                message = await socket.recv()
                await self._can_write.wait()
                if isinstance(message, str):
                    if self._parting is not None and _is_last(message):
                        self._say_last(self._parting)
                        return
                    self._peer.send_text(self._marked(message.encode()))
                else:
                    self._peer.send_audio(message)
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                self._broken(_gone(self._answer.node))
            else:
                self._peer.close(closed.rcvd.code, closed.rcvd.reason)

    def _marked(self, data: bytes) -> bytes:
        """`started` says who passes it on; everything else is passed on as it is."""
        if self._started:
            return data
        try:
            message = codec.decode_server(data)
        except codec.Undecodable:  # of a later version: the caller may know it
            return data
        if not isinstance(message, Started):
            return data
        self._started = True
        return codec.encode(msgspec.structs.replace(message, relayed_by=self._relays.node))

    def _broken(self, error: VoiceError) -> None:
        self._relays.failed += 1
        self._say_last(error)

    def _say_last(self, error: VoiceError) -> None:
        self._peer.send_text(codec.encode(error.as_message()))
        self._peer.close(error.close_code, error.code)


def _characters(data: bytes) -> int:
    """Of a text to be said; nothing else that a caller says is."""
    if b'"speak"' not in data:
        return 0
    try:
        message = codec.decode_client(data)
    except codec.Undecodable:
        return 0
    return len(message.text) if isinstance(message, Speak) else 0


def _is_last(message: str) -> bool:
    try:
        return isinstance(codec.decode_server(message.encode()), (Ended, Error))
    except codec.Undecodable:
        return False


def _not_taken(node: str) -> VoiceError:
    return NoRoom(
        "the node that holds the seat did not take the connection",
        field="node",
        value=node,
        remedy="try again",
    )


def _gone(node: str) -> VoiceError:
    return EngineFailed(
        "the node that had the session is gone", field="node", value=node, remedy="start again"
    )
