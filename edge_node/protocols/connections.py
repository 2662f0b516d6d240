"""uvicorn's HTTP/1.1 connection, with limits for peers that say nothing, and our upgrade."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httptools
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from edge_node.protocols.gathering import Gatherer
from edge_node.protocols.handshake import Accepted, Doubt, decide
from edge_node.protocols.peer import ConversationFactory
from edge_node.protocols.registry import Registry
from edge_node.protocols.sockets import Socket, SocketLimits
from edge_node.protocols.upgrade import Below
from shared.errors import InvalidMessage, NodeDraining, NodeFull, TooBig, Unauthorised, VoiceError
from shared.problem import MEDIA_TYPE, encode_problem, problem

MAX_HEAD_BYTES = 32 * 1024
"""A request's line and headers; the parser itself would take any amount."""


@dataclass(frozen=True, slots=True)
class Door:
    """What every connection needs to know of the node."""

    app: Litestar
    registry: Registry
    gatherer: Gatherer
    doubt: Doubt
    converse: ConversationFactory
    limits: SocketLimits
    node: str


class HttpConnection(HttpToolsProtocol):
    """One TCP connection, until it becomes a WebSocket."""

    def __init__(self, *args: Any, door: Door, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door, self._registry = door, door.registry
        self._in_head, self._head_bytes = True, 0

    def abort(self) -> None:
        """Closes at once."""
        self.transport.abort()

    # --- what the loop says ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A peer came."""
        super().connection_made(transport)
        self._registry.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer went."""
        self._registry.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As uvicorn's own, but what follows an upgrade in the same packet is not lost."""
        self._unset_keepalive_if_required()
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgraded:
            if self._should_upgrade():
                self._become_websocket(data[upgraded.args[0] :])
        except httptools.HttpParserError:
            self._refuse(InvalidMessage("not an HTTP/1.1 request", field="request"))
        else:
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(_head_too_big())

    def pause_writing(self) -> None:
        """The response is not read."""
        super().pause_writing()
        self._registry.unread(self)

    def resume_writing(self) -> None:
        """The response is read."""
        super().resume_writing()
        self._registry.read(self)

    # --- what the parser says ---

    def on_message_begin(self) -> None:
        """The first line of a request."""
        super().on_message_begin()
        self.scope["state"]["abort"] = self.abort  # for an answer that breaks off half-way
        self._registry.asking(self)

    def on_headers_complete(self) -> None:
        """The empty line after the headers."""
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._in_head = True
        super().on_message_complete()
        self._registry.asked(self)

    def _should_upgrade_to_ws(self) -> bool:
        return True

    # --- upgrade ---

    def _become_websocket(self, rest: bytes) -> None:
        decision = self._decide()
        if isinstance(decision, VoiceError):
            self._refuse(decision)
            return
        self.connections.discard(self)  # uvicorn's own set, which it closes at its end
        self._registry.asked(self)
        socket = Socket(self._door.converse, self._door.limits, decision.shown)
        Below(self.transport, self._registry, self._door.gatherer).carry(socket, decision, rest)

    def _decide(self) -> Accepted | VoiceError:
        registry, sockets = self._registry, len(self._registry.sockets)
        if registry.draining:
            return NodeDraining("this node will stop", remedy="use another node")
        if not registry.room_for_socket():
            return NodeFull(self._door.node, sockets, registry.limits.sockets)
        if (method := self.parser.get_method()) != b"GET":
            return InvalidMessage("not a GET", field="method", value=method.decode("ascii"))
        try:
            path = httptools.parse_url(self.url).path.decode("ascii")
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            return InvalidMessage("not a request target", field="path")
        return decide(path, self.headers, self._door.doubt)

    def _refuse(self, error: VoiceError) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.abort()  # in the middle of an answer there is no place for another one
            return
        body = encode_problem(problem(error))
        lines = [
            STATUS_LINE[error.http_status.value].rstrip(),
            b"content-type: " + MEDIA_TYPE.encode(),
            b"content-length: %d" % len(body),
            b"connection: close",
            *([b"www-authenticate: Bearer"] if isinstance(error, Unauthorised) else []),
        ]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self._registry.asked(self)
        self._registry.say_goodbye(self.transport, self)


def _head_too_big() -> TooBig:
    return TooBig(
        f"more than {MAX_HEAD_BYTES} bytes of headers",
        field="headers",
        value=MAX_HEAD_BYTES,
        remedy="send fewer or shorter ones",
    )
