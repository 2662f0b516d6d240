"""One caller's conversation: carries out what the session decides. One a connection.

Everything here runs on the event loop and returns at once; words come back from the device's
thread through `heard`, speech from a task of its own.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge_node.capacity.admission import Admission
from edge_node.protocols.peer import Peer
from edge_node.sessions.events import (
    Audio,
    Command,
    Drain,
    DrainOver,
    EndUtterance,
    Event,
    Failed,
    HangUp,
    Hear,
    Hush,
    LeaveSeat,
    LinkLost,
    Mark,
    ReadAudio,
    Say,
    SeatGranted,
    Spoke,
    TakeSeat,
    Tell,
    Tick,
    Writable,
)
from edge_node.sessions.heard import Heard
from edge_node.sessions.limits import Limits
from edge_node.sessions.machine import Session
from edge_node.sessions.opening import Offer
from edge_node.sessions.utterances import Rules
from edge_node.stt.device import Device, Occupant
from edge_node.stt.seat import EndAsked, MarkerAsked, Seat
from edge_node.tally import Tally
from edge_node.tts.saying import Saying, Speaker
from heliovox.protocol import codec
from heliovox.protocol.messages import Speak, Start
from shared.errors import InvalidMessage, Unauthorised, VoiceError
from shared.tasks import Tasks

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class House:
    """What the conversations of a node share."""

    offer: Offer
    limits: Limits
    admission: Admission
    device: Device
    speaker: Speaker
    tasks: Tasks
    is_key: Callable[[str], bool]
    new_id: Callable[[], str]
    tally: Tally = field(default_factory=Tally)


class Conversation:
    """Between the connection's shell and the session's machine.

    Args:
        authenticated: whether the handshake carried a good key; if not, `start` must.
    """

    def __init__(self, peer: Peer, house: House, *, authenticated: bool) -> None:
        self._peer, self._house = peer, house
        self._authenticated = authenticated
        self.session = Session(house.offer, house.limits)
        self._occupant: Occupant | None = None
        self._seated = False
        self._saying: asyncio.Task[None] | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._effects: dict[type, Callable[[Command], None]] = self._table()

    # --- from the connection ---

    def text(self, data: bytes) -> None:
        """A whole text message. Never raises."""
        try:
            message = codec.decode_client(data)
        except codec.Undecodable as error:
            remedy = "see docs/protocol.md"
            self.refuse(InvalidMessage(str(error), field=error.field, remedy=remedy))
            return
        if not self._authenticated and not self._shows_key(message):
            self.refuse(Unauthorised("no known key", field="key", remedy="ask for a key"))
            return
        self._handle(message)

    def _shows_key(self, message: object) -> bool:
        shown = isinstance(message, Start) and message.key is not None
        self._authenticated = shown and self._house.is_key(message.key or "")  # type: ignore[attr-defined]
        return self._authenticated

    def audio(self, data: bytes) -> None:
        """A whole binary message. Never raises."""
        occupant = self._occupant
        worked_off = 0 if occupant is None else occupant.seat.consumed_sample
        self._handle(Audio(data, worked_off))

    def refuse(self, error: VoiceError) -> None:
        """The shell found something that the session cannot live with."""
        self._handle(Failed(error))

    def writable(self, yes: bool) -> None:  # noqa: FBT001 the shell's own signal
        """Whether the caller keeps up with what is sent."""
        if yes:
            self._can_write.set()
        else:
            self._can_write.clear()
        self._handle(Writable(yes))

    def lost(self) -> None:
        """The connection is gone."""
        self._handle(LinkLost())
        self._hush()

    def drain(self, deadline_ms: int) -> None:
        """The node will stop."""
        self._handle(Drain(deadline_ms))

    def drain_over(self) -> None:
        """The node stops: what was heard is told, then the session ends."""
        self._handle(DrainOver())

    def tick(self, now_s: float) -> None:
        """About once a second."""
        self._handle(Tick(now_s))

    # --- from the device ---

    def heard(self, all_heard: Sequence[Heard]) -> None:
        """What the seat heard, in order."""
        for heard in all_heard:
            self._handle(heard)

    # --- the session's commands ---

    def _handle(self, event: Event) -> None:
        for command in self.session.handle(event):
            self._effects[type(command)](command)

    def _table(self) -> dict[type, Callable[..., None]]:
        return {
            Hear: self._hear,
            Tell: self._tell,
            TakeSeat: self._take_seat,
            EndUtterance: self._end_utterance,
            Mark: self._mark,
            Say: self._say,
            Hush: lambda _: self._hush(),
            ReadAudio: self._read_audio,
            LeaveSeat: lambda _: self._leave_seat(),
            HangUp: self._hang_up,
        }

    def _hear(self, command: Hear) -> None:
        if self._occupant is not None:
            self._house.device.push(self._occupant, command.data)

    def _tell(self, command: Tell) -> None:
        self._house.tally.told(command.message)
        self._peer.send_text(codec.encode(command.message))

    def _take_seat(self, command: TakeSeat) -> None:
        house, opening = self._house, command.opening
        try:
            house.admission.take()
        except VoiceError as error:
            self._handle(Failed(error))
            return
        self._seated = True
        try:
            if opening.hears:
                profile = house.device.profile
                frame_ms = 1000 * profile.frame_samples / profile.sample_rate
                rules = Rules.of(frame_ms, opening.endpoint_silence_ms)
                seat = Seat(opening.audio, profile, rules)
                self._occupant = house.device.enter(seat, self.heard, opening.graph)
        except VoiceError as error:
            self._leave_seat()
            self._handle(Failed(error))
            return
        self._handle(SeatGranted(house.new_id(), opening))

    def _leave_seat(self) -> None:
        if self._occupant is not None:
            self._house.device.leave(self._occupant)
            self._occupant = None
        if self._seated:
            self._seated = False
            self._house.admission.leave()
            _log.debug("session %s was\n%s", self.session.id, self.session.history)

    def _end_utterance(self, command: EndUtterance) -> None:
        if self._occupant is not None:
            self._house.device.push(self._occupant, EndAsked(command.id, command.reason))

    def _mark(self, command: Mark) -> None:
        if self._occupant is not None:
            self._house.device.push(self._occupant, MarkerAsked(command.id))

    def _read_audio(self, command: ReadAudio) -> None:
        if self._occupant is not None:
            self._house.device.wants_room(self._occupant, yes=not command.yes)
        if command.yes:
            self._peer.resume_reading()
        else:
            self._peer.pause_reading()

    def _hang_up(self, command: HangUp) -> None:
        self._hush()
        self._peer.close(command.code, command.reason)

    # --- speech ---

    def _say(self, command: Say) -> None:
        speak, opening = command.speak, self.session.opening
        assert opening is not None
        saying = Saying(self._peer, self._house.speaker, self._can_write, opening)
        work = self._house.tasks.begin(saying.say(speak), name=f"say {self.session.id}")
        work.add_done_callback(lambda _: self._said(speak, saying))
        self._saying = work

    def _said(self, speak: Speak, saying: Saying) -> None:
        """However it ended: a task cancelled before its first step runs no line of itself."""
        self._saying = None
        self._handle(Spoke(speak.id, saying.samples, cancelled=not saying.whole))

    def _hush(self) -> None:
        if self._saying is not None:
            self._saying.cancel()
