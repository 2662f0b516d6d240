"""A session as its caller knows it: bytes in, events out. No socket, no loop, no clock."""

from enum import Enum, auto

import msgspec

from heliovox.client.errors import NodeMisbehaved, Refused
from heliovox.client.events import AudioOut, Event, Gap
from heliovox.client.footing import Footing
from heliovox.client.keeping import KEPT_S, KeptAudio
from heliovox.client.moving import Again
from heliovox.client.texts import Texts
from heliovox.protocol import messages as m
from heliovox.protocol.codec import Undecodable, decode_server


class State(Enum):
    """How far the session is."""

    OPENING = auto()
    LIVE = auto()
    MOVING = auto()
    """Sent on, or without a connection, and not there yet."""
    FINISHING = auto()
    ENDED = auto()


MAX_WISHES = 64
"""Flushes and markers that a node keeps, too."""
_OPENING = (m.Started, m.Redirect, m.Waiting)


class SessionMachine:
    """Keeps what a new connection would need: audio whose words did not come, and what was asked.

    Equal histories, equal answers. After an error nothing more comes out.

    Args:
        start: what the session is.
        kept_s: of audio, at most.
    """

    def __init__(self, start: m.Start, kept_s: float = KEPT_S) -> None:
        self.start = start
        self.state = State.OPENING
        self.kept = KeptAudio(start.audio, kept_s)
        self.footing = Footing()
        self.acknowledged = 0
        """`seq` of the last final that the application has stored."""
        self.missing_samples = 0
        """Of all gaps together."""
        self._again = Again()
        self._texts = Texts(start.output)
        self._said_finish = False
        self._speaking: str | None = None
        self._told_speech = -1
        self._repeats = self._went_on = False
        self._losses: list[Event] = []
        self._read_byte = 0

    @property
    def started(self) -> m.Started | None:
        """The latest that came."""
        return self.footing.started

    @property
    def last_final(self) -> int:
        """`seq` of the last final received."""
        return self.footing.seq

    @property
    def recovers(self) -> bool:
        """Whether the session goes on if its connection is lost now."""
        open_ = self.state not in (State.OPENING, State.ENDED)
        return open_ and self.start.recovers and self.footing.recovery is not None

    @property
    def behind(self) -> bool:
        """Whether what is said now is kept, and said once the next node has what it missed."""
        return self._again.behind

    def has_room(self, count: int) -> bool:
        """Whether so much audio can be sent and nothing be forgotten that may be asked for again.

        Without acknowledgements a node does not say how far it came in silence; then there is
        nothing to wait for.
        """
        told = self.acknowledged == self.last_final or self.state is State.MOVING
        return not told or not self.recovers or self.kept.has_room(count)

    @property
    def unread_s(self) -> float:
        """Audio that was sent and of which nothing shows that the node has read it."""
        unread = self.kept.sent_bytes - self._read_byte
        return self.start.audio.seconds(max(0, unread) // self.start.audio.bytes_per_sample)

    def read_up_to(self, byte: int) -> None:
        """The node has read so much of all audio."""
        self._read_byte = max(self._read_byte, byte)

    def may_ask(self) -> bool:
        """Whether one more flush or marker can be remembered."""
        return not self.behind or self._again.unanswered < MAX_WISHES

    def sent(self, audio: bytes) -> None:
        """Audio leaves now."""
        self.kept.add(audio)

    def asked(self, message: m.ClientMessage) -> None:
        """Something leaves now that a node answers, or that has to be known."""
        match message:
            case m.Flush() | m.Marker():
                self._again.wished(self.kept.sent_bytes, message)
            case m.Speak():
                self._texts.asked(message, behind=self.behind)
            case m.Cancel():
                self._texts.cancelled(message, behind=self.behind)
            case _:
                pass

    def finish(self) -> bool:
        """Whether `finish` has to be said: not twice, and not to a session that ended."""
        due = self.state in (State.LIVE, State.MOVING) and not self._said_finish
        self._said_finish = self._said_finish or due
        if self.state is State.LIVE:
            self.state = State.FINISHING
        return due

    def lost(self) -> None:
        """The connection is gone. `hello` is said on the next one."""
        self.state, self._speaking = State.MOVING, None
        self._again.lost()

    def hello(self) -> m.Start:
        """What to say first on a new connection."""
        if self.state is not State.MOVING:
            return self.start
        return msgspec.structs.replace(self.start, resume=self.footing.resume())

    def losses(self) -> list[Event]:
        """What the application has to know of the way to the present node, once."""
        losses, self._losses = self._losses, []
        return losses

    def settled(self) -> list[Event]:
        """Answers that go without saying once the session has ended, to be told before its end.

        A node that had ended it says its last words again after a lost connection, not its answers.
        """
        if not self._went_on:
            return []
        width = self.start.audio.bytes_per_sample
        return [
            m.Flushed(wish.id, self.last_final, byte // width)
            if isinstance(wish, m.Flush)
            else m.MarkerReached(wish.id, byte // width)
            for byte, wish in self._again.all_answered()
        ]

    def unsaid(self, piece_bytes: int) -> list[bytes | m.ClientMessage]:
        """What the next node is to be told now; nothing once it has all.

        Raises:
            ConnectionLost: audio that no node has heard is forgotten.
        """
        if texts := self._texts.unsaid():
            return [*texts]
        return self._again.unsaid(self.kept, finish=self._said_finish, piece_bytes=piece_bytes)

    def stored(self, seq: int) -> m.Ack | None:
        """The acknowledgement to send now that finals up to `seq` are stored, if it is news."""
        if not self.acknowledged < seq <= self.last_final:
            return None
        self.acknowledged = seq
        return self.ack()

    def ack(self) -> m.Ack | None:
        """The latest acknowledgement, as the present node counts."""
        seq = self.acknowledged - self.footing.bases.now.seq
        return m.Ack(seq) if seq > 0 else None

    def text(self, data: str | bytes) -> Event | None:
        """A text message; None for what the application has already.

        Raises:
            Refused: the node's error.
            NodeMisbehaved: not a message, or one that may not come now.
        """
        try:
            message = self.footing.bases.shifted(decode_server(data))
        except Undecodable as error:
            raise NodeMisbehaved(f"the node sent no message of the protocol: {error}") from error
        if isinstance(message, m.Error):
            if self.state is not State.MOVING:  # else one attempt to go on was refused
                self.state = State.ENDED
            raise Refused.of(message)
        self._check_order(message)
        return self._take(message)

    def audio(self, data: bytes) -> AudioOut:
        """A binary message.

        Raises:
            NodeMisbehaved: no text is being spoken.
        """
        if self._speaking is None:
            raise NodeMisbehaved("the node sent audio while it was speaking no text")
        out = AudioOut(self._speaking, data)
        self._texts.heard(out)
        return out

    def _check_order(self, message: Event) -> None:
        name = type(message).__name__
        if self.state is State.ENDED:
            raise NodeMisbehaved(f"{name} after the end of the session")
        opening = self.state in (State.OPENING, State.MOVING)
        if opening != isinstance(message, _OPENING) and not self._sends_on(message):
            raise NodeMisbehaved(f"{name} while {self.state.name.lower()}")
        if isinstance(message, m.Final) and not self._follows(message):
            raise NodeMisbehaved(f"final {message.seq} after final {self.last_final}")

    def _follows(self, final: m.Final) -> bool:
        """Or comes again, which a node does that cannot know whether it had come."""
        return final.seq == self.last_final + 1 or self._has(final)

    def _has(self, final: m.Final) -> bool:
        return self._repeats and final.seq <= self.last_final

    def _sends_on(self, message: Event) -> bool:
        """Whether it sends the session on in its middle."""
        under_way = self.state in (State.LIVE, State.FINISHING) and self.start.moves
        middle = isinstance(message, m.Redirect) and message.from_sample is not None
        return middle and under_way

    def _arrive(self, started: m.Started) -> None:
        if self.state is State.OPENING:
            self.footing.started = started
        else:
            arrival = self.footing.arrived(started, self.kept)
            if arrival.gap is not None:
                gap = Gap(*arrival.gap)
                self.missing_samples += gap.to_sample - gap.from_sample
                self._losses.append(gap)
            self._losses += self._texts.moved()
            self._read_byte = self.kept.byte_of(arrival.from_sample)
            self._again.moved(self._read_byte)
            self._repeats = self._went_on = True
        self.state = State.FINISHING if self._said_finish else State.LIVE

    def _passed(self, sample: int) -> None:
        """No node will ask for audio before it, as all words of it came."""
        self.footing.passed(sample)
        self.kept.release(sample)

    def _take(self, message: Event) -> Event | None:
        match message:
            case m.Started():
                self._arrive(message)
            case m.Redirect(from_sample=int(sample)) if self._sends_on(message):
                self._passed(sample)
                self.lost()
            case m.Flushed() | m.MarkerReached():
                return self._answered(message)
            case m.Final():
                return self._final(message)
            case m.SpeechStarted(at_sample=at):
                told, self._told_speech = self._told_speech, at
                return message if told != at else None
            case m.Progress():
                self.read_up_to(self.kept.byte_of(message.received_sample))
                self._passed(message.released_sample)
            case m.Partial():
                self.read_up_to(self.kept.byte_of(message.through_sample))
            case m.Speaking() | m.Spoken():
                self._spoke(message)
            case m.Ended() | m.Redirect():
                self.state = State.ENDED if self.state is not State.MOVING else self.state
            case _:
                pass
        return message

    def _spoke(self, message: m.Speaking | m.Spoken) -> None:
        self._texts.heard(message)
        if isinstance(message, m.Speaking):
            self._speaking = message.id
        elif message.id == self._speaking:  # else of a text that waited
            self._speaking = None

    def _final(self, final: m.Final) -> m.Final | None:
        if self._has(final):
            return None
        self.footing.seq, self._repeats = final.seq, False
        self.read_up_to(self.kept.byte_of(final.through_sample))
        self._passed(final.through_sample)
        return final

    def _answered(self, answer: m.Flushed | m.MarkerReached) -> Event:
        """Where it was asked for again, the node may know it to stand where its words go on."""
        byte = self._again.answered(answer)
        if isinstance(answer, m.Flushed):
            self._passed(answer.through_sample)
        if byte is None:
            return answer
        sample = byte // self.start.audio.bytes_per_sample
        if isinstance(answer, m.Flushed):
            return msgspec.structs.replace(answer, through_sample=sample)
        return msgspec.structs.replace(answer, at_sample=sample)
