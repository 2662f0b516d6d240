"""A session as its caller knows it: bytes in, events out. No socket, no loop, no clock."""

from enum import Enum, auto

from heliovox.client.errors import NodeMisbehaved, Refused
from heliovox.client.events import AudioOut, Event
from heliovox.client.keeping import KeptAudio
from heliovox.client.moving import Again, Base
from heliovox.protocol import messages as m
from heliovox.protocol.codec import Undecodable, decode_server


class State(Enum):
    """How far the session is."""

    OPENING = auto()
    LIVE = auto()
    MOVING = auto()
    """Sent on, and not there yet."""
    FINISHING = auto()
    ENDED = auto()


_OPENING = (m.Started, m.Redirect, m.Waiting)


class SessionMachine:
    """Keeps what a new connection would need: unreleased audio and the last final stored.

    Equal histories, equal answers. After an error nothing more comes out.
    """

    def __init__(self, start: m.Start) -> None:
        self.start = start
        self.state = State.OPENING
        self.started: m.Started | None = None
        self.kept = KeptAudio(start.audio)
        self.last_final = 0
        """`seq` of the last final received."""
        self.acknowledged = 0
        """`seq` of the last final that the application has stored."""
        self.base = Base()
        self._again = Again()
        self._said_finish = False
        self._speaking: str | None = None

    def sent(self, audio: bytes) -> None:
        """Audio leaves now."""
        self.kept.add(audio)

    def wished(self, wish: m.Flush | m.Marker) -> None:
        """A flush or a marker leaves now."""
        self._again.wished(self.kept.sent_bytes, wish)

    def finish(self) -> bool:
        """Whether `finish` has to be said: not twice, and not to a session that ended."""
        due = self.state in (State.LIVE, State.MOVING) and not self._said_finish
        self._said_finish = self._said_finish or due
        if self.state is State.LIVE:
            self.state = State.FINISHING
        return due

    def unsaid(self, piece_bytes: int) -> list[bytes | m.ClientMessage]:
        """What the node that the session moved to is to be told now; nothing once it has all.

        Raises:
            ConnectionLost: audio that no node has heard is forgotten.
        """
        return self._again.unsaid(self.kept, finish=self._said_finish, piece_bytes=piece_bytes)

    def stored(self, seq: int) -> m.Ack | None:
        """The acknowledgement to send now that finals up to `seq` are stored, if it is news."""
        if not self.acknowledged < seq <= self.last_final:
            return None
        self.acknowledged = seq
        return m.Ack(seq - self.base.seq) if seq > self.base.seq else None

    def text(self, data: str | bytes) -> Event:
        """A text message.

        Raises:
            Refused: the node's error.
            NodeMisbehaved: not a message, or one that may not come now.
        """
        try:
            message = self.base.shifted(decode_server(data))
        except Undecodable as error:
            raise NodeMisbehaved(f"the node sent no message of the protocol: {error}") from error
        if isinstance(message, m.Error):
            self.state = State.ENDED
            raise Refused.of(message)
        self._check_order(message)
        self._take(message)
        return message

    def audio(self, data: bytes) -> AudioOut:
        """A binary message.

        Raises:
            NodeMisbehaved: no text is being spoken.
        """
        if self._speaking is None:
            raise NodeMisbehaved("the node sent audio while it was speaking no text")
        return AudioOut(self._speaking, data)

    def _check_order(self, message: Event) -> None:
        name = type(message).__name__
        if self.state is State.ENDED:
            raise NodeMisbehaved(f"{name} after the end of the session")
        opening = self.state in (State.OPENING, State.MOVING)
        if opening != isinstance(message, _OPENING) and not self._sends_on(message):
            raise NodeMisbehaved(f"{name} while {self.state.name.lower()}")
        if isinstance(message, m.Final) and message.seq != self.last_final + 1:
            raise NodeMisbehaved(f"final {message.seq} after final {self.last_final}")

    def _sends_on(self, message: Event) -> bool:
        """Whether it sends the session on in its middle."""
        under_way = self.state in (State.LIVE, State.FINISHING) and self.start.moves
        middle = isinstance(message, m.Redirect) and message.from_sample is not None
        return middle and under_way

    def _move(self, from_sample: int) -> None:
        self.state = State.MOVING
        ms = from_sample * 1000 // self.start.audio.sample_rate
        self.base = Base(from_sample, ms, self.last_final)
        self._again.moved(self.kept.byte_of(from_sample))

    def _take(self, message: Event) -> None:
        match message:
            case m.Started():
                self.state = State.FINISHING if self._said_finish else State.LIVE
                self.started = message
            case m.Redirect(from_sample=int(sample)) if self._sends_on(message):
                self._move(sample)
            case m.Flushed() | m.MarkerReached():
                self._again.answered(message)
            case m.Final():
                self.last_final = message.seq
            case m.Progress():
                self.kept.release(message.released_sample)
            case m.Speaking():
                self._speaking = message.id
            case m.Spoken(id=over) if over == self._speaking:  # else of a text that waited
                self._speaking = None
            case m.Ended() | m.Redirect():
                self.state = State.ENDED if self.state is not State.MOVING else self.state
            case _:
                pass
