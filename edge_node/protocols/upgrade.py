"""HTTP connections that become WebSockets: picows parses the frames (docs/decisions/0002).

Everything here leans on details of picows 2.3.1, which is pinned; nothing else does.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from picows import WSAutoPingStrategy, WSUpgradeRequest, WSUpgradeResponse
from picows import WSUpgradeResponseWithListener as WSAnswer
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not in its stub

from edge_node.protocols.gathered import GatheredReading
from edge_node.protocols.gathering import Gatherer
from edge_node.protocols.handshake import Accepted
from edge_node.protocols.kernel import hung_up
from edge_node.protocols.registry import Registry
from edge_node.protocols.sockets import Socket
from heliovox.protocol.closing import CloseCode

_log = logging.getLogger(__name__)

READ_BUFFER_BYTES = 4096
"""At first; it doubles as needed. Holds 100 ms of PCM16 at 16 kHz."""


class Upgraded(WSProtocol):  # type: ignore[misc]  # untyped extension class
    """The protocol of a connection after its upgrade."""

    def __init__(self, socket: Socket, accepted: Accepted, below: "Below") -> None:
        super().__init__(
            host_port=None,
            ws_path=None,
            is_client_side=False,
            ws_listener_factory=_answer(socket, accepted),
            logger=_Complaints(self._complain),
            disconnect_on_exception=True,
            websocket_handshake_timeout=None,
            enable_auto_ping=False,  # it would take a task per connection
            auto_ping_idle_timeout=1,
            auto_ping_reply_timeout=1,
            auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
            enable_auto_pong=False,  # a ping is a sign of life that the socket wants to see
            max_frame_size=socket.limits.frame_bytes,
            extra_headers=None,
            read_buffer_init_size=READ_BUFFER_BYTES,
        )
        self.heard = False
        """Whether bytes came since the ticker last looked."""
        self._socket, self._below = socket, below
        self._broken = False

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        self.heard = True
        super().buffer_updated(nbytes)
        if self._broken:  # what follows cannot be parsed: do not let it pile up
            self._below.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        super().connection_lost(exc)
        self._below.gone()

    def feed(self, data: bytes) -> None:
        """Bytes that did not come through the transport's own reading."""
        rest = memoryview(data)  # a name of its own: slices must not copy
        while rest:
            room: memoryview = self.get_buffer(-1)
            size = min(len(room), len(rest))
            room[:size] = rest[:size]
            self.buffer_updated(size)
            rest = rest[size:]

    def _complain(self, code: int, reason: str) -> None:
        self._broken = True
        self._socket.unparsable(code, reason)


class Below:
    """A transport as picows and a socket use it: it closes without cutting off its last words.

    picows closes 10 ms after an error, whatever the peer is still sending; see
    `Registry.say_goodbye` for what would become of the error then.
    """

    def __init__(
        self, transport: asyncio.Transport, registry: Registry, gatherer: Gatherer
    ) -> None:
        self._transport, self._registry, self._gatherer = transport, registry, gatherer
        self._reading: GatheredReading | None = None
        self.now_s = registry.now_s
        # the transport's own methods, so that a packet costs nothing here
        self.get_extra_info = transport.get_extra_info
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.write = transport.write
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.abort = transport.abort

    def carry(self, socket: Socket, accepted: Accepted, rest: bytes) -> None:
        """Makes the connection a WebSocket.

        The request is written anew, with only what picows looks at: it knows no `Connection`
        header with several members, which is what some browsers send.

        Args:
            socket: who listens and speaks from now on.
            accepted: the decision.
            rest: what the caller had already sent after his request.
        """
        socket.attach(self)
        self._socket, self._protocol = socket, Upgraded(socket, accepted, self)
        self._protocol.connection_made(self)
        self._transport.set_protocol(self._protocol)
        request = (
            "GET / HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            f"sec-websocket-version: 13\r\nsec-websocket-key: {accepted.nonce}\r\n\r\n"
        )
        self._protocol.feed(request.encode("ascii"))
        self._registry.joined(socket, self._transport)
        self._protocol.feed(rest)

    def writelines(self, parts: Sequence[bytes | memoryview]) -> None:
        """A large message: header and payload.

        The header is a view of a buffer that the next message overwrites, and a transport that has
        to wait keeps what it was given: so it is given a copy.
        """
        self.write(b"".join(parts))

    def heard(self) -> bool:
        """Whether bytes came since this was last asked."""
        heard, self._protocol.heard = self._protocol.heard, False
        return heard

    def hung_up(self) -> bool:
        """Whether the peer has closed, also while reading is paused."""
        return hung_up(self._transport)

    def spoke(self) -> None:
        """The first message came."""
        self._registry.spoke(self._transport)

    def gather(self) -> None:
        """Audio comes: from here on it is read together with that of others."""
        transport = self._transport
        reading = GatheredReading(transport, self._protocol, self._gatherer, transport.abort)
        if reading.begin():
            self._reading = reading
            self.pause_reading, self.resume_reading = reading.pause, reading.resume

    def await_close(self) -> None:
        """The peer has some seconds to answer a close."""
        self._registry.await_close(self._transport)

    def finish(self) -> None:
        """Both sides said goodbye."""
        self._transport.close()

    def close(self) -> None:
        """Sends what is left, discards what comes, then closes."""
        if self._reading is not None:
            self._reading.give_back()
        self._registry.say_goodbye(self._transport, self._protocol)

    def abort_for(self, reason: str) -> None:
        """Closes at once."""
        self._registry.abort(self._transport, reason)

    def gone(self) -> None:
        """The connection is no more."""
        if self._reading is not None:
            self._reading.pause()
        self._registry.parted(self._socket, self._transport)


def _answer(socket: Socket, accepted: Accepted) -> Callable[[WSUpgradeRequest], WSAnswer]:
    def answer(_request: WSUpgradeRequest) -> WSAnswer:
        protocol = accepted.subprotocol
        headers = {"Sec-WebSocket-Protocol": protocol} if protocol else None
        return WSAnswer(WSUpgradeResponse.create_101_response(headers), socket)

    return answer


class _Complaints:
    """Stands where picows wants a logger.

    Its parser reports what it cannot parse here, before it sends a close frame: the one moment
    to tell the caller in our own words. Its other lines name addresses, so they go nowhere; and a
    real logger would be copied once a connection.
    """

    def __init__(self, complain: Callable[[int, str], None]) -> None:
        self._complain = complain

    def isEnabledFor(self, _level: int) -> bool:  # noqa: N802 the name logging gives it
        return False

    def error(self, _message: str, args: object) -> None:
        if isinstance(args, tuple) and len(args) == 2:  # a parser's error: close code and reason
            self._complain(int(args[0]), str(args[1]))
        else:  # an exception's text
            _log.error("a connection failed: %s", args)
            self._complain(CloseCode.INTERNAL, "internal error")

    def exception(self, message: str, *_args: object) -> None:
        _log.exception(message)
        self._complain(CloseCode.INTERNAL, "internal error")

    def _nothing(self, *_args: object) -> None:
        pass

    debug = info = warning = log = _nothing
