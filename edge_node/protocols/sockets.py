"""One WebSocket: frames to calls of a conversation, and a conversation's answers to frames.

Nothing here waits, queues or starts a task: a packet is a function call.
"""

import logging
from dataclasses import dataclass, field, replace

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from edge_node.protocols.assembly import Assembly, Kind, check_utf8, too_big
from edge_node.protocols.kernel import address_of, bound_buffers
from edge_node.protocols.liveness import Liveness, LivenessLimits, Verdict
from edge_node.protocols.peer import Conversation, ConversationFactory, Shown
from edge_node.protocols.wire import Wire
from heliovox.protocol.closing import CloseCode
from shared.errors import BrokenFrame, LimitPassed, VoiceError

_log = logging.getLogger(__name__)

UNSENT_BYTES = 1 << 20
"""Waiting in the node for a caller who does not read: beyond it he is not read from either, or his
pings alone could fill the memory with pongs. Well above what a text to speak or its words take, so
that who reads slowly can still send audio, or cancel."""
CLOSE, BINARY, TEXT = WSMsgType.CLOSE, WSMsgType.BINARY, WSMsgType.TEXT
CONTINUATION, PING = WSMsgType.CONTINUATION, WSMsgType.PING
AUDIO_MESSAGE, TEXT_MESSAGE = Kind.AUDIO, Kind.TEXT
"""By names of their own: to find an enum's member takes Python 3.11 six times as long, and some ten
times for every packet that was a seventh of what a packet costs."""
_REASON_BYTES = 123  # RFC 6455: a control frame holds 125, two are the code


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What a caller may do to a socket."""

    message_bytes: int = 1 << 20
    """Larger messages cost every other session its share of the loop."""
    liveness: LivenessLimits = field(default_factory=LivenessLimits)

    @property
    def frame_bytes(self) -> int:
        """Where the parser itself gives up: a little later, so that we say it first."""
        return self.message_bytes + (1 << 16)


class Socket(WSListener):
    """A connected caller: a Peer to his conversation, a listener to picows."""

    def __init__(self, converse: ConversationFactory, limits: SocketLimits, shown: Shown) -> None:
        self.limits = limits
        self._converse, self._shown = converse, shown
        self._assembly = Assembly(limits.message_bytes)
        self._open = False
        self._paused = False  # reading is: for the conversation, or because too much is unsent
        self._unwanted = self._choked = False
        self._clogged = False
        self._lost = self._goodbye = False
        self._spoke = self._gathered = False

    def attach(self, wire: Wire) -> None:
        """Before anything else: the connection below."""
        self._wire = wire
        self._liveness = Liveness(self.limits.liveness, wire.now_s())

    # --- what picows says ---

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        bound_buffers(transport.underlying_transport)
        self._ws = transport
        shown = replace(self._shown, address=address_of(transport.underlying_transport))
        self.conversation: Conversation = self._converse(self, shown)
        self._open = True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame, valid only during this call."""
        kind = frame.msg_type
        if kind is CLOSE:
            self._closed_by_peer(transport)
        elif self._open:
            try:
                self._take(kind, frame)
            except VoiceError as error:
                self.conversation.refuse(error)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 picows names it
        """The connection is gone."""
        self._open = False
        self._lose()

    def pause_writing(self) -> None:
        """More waits than should."""
        self._clogged = True
        self._liveness.stuck(self._wire.now_s())
        if self._open:
            self.conversation.writable(False)

    def resume_writing(self) -> None:
        """The caller has read."""
        self._clogged = self._choked = False
        self._hold()
        self._liveness.unstuck(self._wire.now_s())
        if self._open:
            self.conversation.writable(True)

    def unparsable(self, code: int, reason: str) -> None:
        """Not frames: say so while that can still be said."""
        if not self._open:
            return
        limit_bytes = self.limits.message_bytes
        if code == CloseCode.TOO_BIG:
            error: VoiceError = too_big(limit_bytes + 1, limit_bytes)
        elif code == CloseCode.INTERNAL:
            error = VoiceError(reason)
        else:
            error = BrokenFrame(reason or "not a WebSocket frame", field="frame")
        self.conversation.refuse(error)

    # --- what the ticker says ---

    def tick(self, now_s: float) -> None:
        """About once a second. A fault in one session ends that one alone."""
        try:
            if self._open:
                self._tick(now_s)
        except Exception:  # noqa: BLE001 whatever it is, the others go on
            _log.exception("a session failed at its tick")
            self._wire.abort_for("internal")

    def _tick(self, now_s: float) -> None:
        if self._wire.heard():
            self._liveness.heard(now_s)
        match self._liveness.judge(now_s, paused=self._paused):
            case Verdict.PING:
                self._ws.send_ping()
            case Verdict.DEAD:
                self._wire.abort_for("silent")
            case Verdict.UNREAD:
                self.conversation.refuse(_unread(self.limits.liveness.unread_s))
            case Verdict.WELL:
                pass
        self.conversation.tick(now_s)

    # --- Peer: what the conversation says ---

    def send_text(self, data: bytes) -> None:
        """One text message."""
        if self._open:
            self._ws.send(TEXT, data)
            self._look_at_unsent()

    def send_audio(self, data: bytes) -> None:
        """One binary message."""
        if self._open:
            self._ws.send(BINARY, data)
            self._look_at_unsent()

    def close(self, code: int, reason: str) -> None:
        """Says goodbye, and gives the caller some seconds to answer."""
        if not self._open:
            return
        self._open = False
        self._ws.send_close(code, _short(reason))  # type: ignore[arg-type]  # takes any int
        self._wire.await_close()
        if self._paused:  # or the caller's own goodbye would wait behind unread audio
            self._paused = False
            self._wire.resume_reading()

    def pause_reading(self) -> None:
        """TCP slows the caller down."""
        self._unwanted = True
        self._hold()

    def resume_reading(self) -> None:
        """Reads on."""
        self._unwanted = False
        self._hold()

    def hung_up(self) -> bool:
        """Whether he is gone, also where he is not read from."""
        return not self._open or self._wire.hung_up()

    # --- inside ---

    def _look_at_unsent(self) -> None:
        if self._clogged and self._wire.get_write_buffer_size() > UNSENT_BYTES:
            self._choked = True
            self._hold()

    def _hold(self) -> None:
        """Reads, or leaves it on the wire, as both sides of the caller ask for."""
        hold = self._unwanted or self._choked
        if not self._open or hold == self._paused:
            return
        self._paused = hold
        if hold:
            self._wire.pause_reading()
        else:
            self._wire.resume_reading()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self.conversation.lost(goodbye=self._goodbye)

    def _take(self, kind: WSMsgType, frame: WSFrame) -> None:
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise BrokenFrame(
                "a reserved bit is set", field="frame", remedy="negotiate no extensions"
            )
        if kind is BINARY:
            self._message(AUDIO_MESSAGE, frame)
        elif kind is TEXT:
            self._message(TEXT_MESSAGE, frame)
        elif kind is CONTINUATION:
            payload = frame.get_payload_as_bytes()
            self._deliver(self._assembly.carry_on(payload, final=frame.fin))
        elif kind is PING:
            self._ws.send_pong(frame.get_payload_as_bytes())
            self._look_at_unsent()

    def _message(self, kind: Kind, frame: WSFrame) -> None:
        payload = frame.get_payload_as_bytes()
        if not frame.fin or self._assembly.unfinished:
            self._deliver(self._assembly.begin(kind, payload, final=frame.fin))
            return
        if len(payload) > self.limits.message_bytes:
            raise too_big(len(payload), self.limits.message_bytes)
        if kind is TEXT_MESSAGE:
            check_utf8(payload)
        self._deliver((kind, payload))

    def _deliver(self, message: tuple[Kind, bytes] | None) -> None:
        if message is None:
            return
        if not self._spoke:
            self._spoke = True
            self._wire.spoke()
        kind, payload = message
        if kind is AUDIO_MESSAGE:
            if not self._gathered:
                self._gathered = True
                self._wire.gather()
            self.conversation.audio(payload)
        else:
            self.conversation.text(payload)

    def _closed_by_peer(self, transport: WSTransport) -> None:
        if self._open:
            self._open = False
            received = transport.close_handshake.recv
            code = int(received.code) if received else 0  # type: ignore[call-overload]
            self._goodbye = code == CloseCode.NORMAL
            transport.send_close(code or CloseCode.NORMAL)  # type: ignore[arg-type]
            self._lose()  # the seat is free now, however long our last bytes take
            self._wire.await_close()
        else:  # his answer to our own goodbye: he has read all before it
            self._goodbye = True
        self._wire.finish()


def _unread(limit_s: float) -> LimitPassed:
    return LimitPassed(
        f"nothing was read for {limit_s:g} s",
        field="connection",
        remedy="read messages as they come",
    )


def _short(reason: str) -> bytes:
    """As much of a reason as a close frame holds, cut between characters."""
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore").encode()
