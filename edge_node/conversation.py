"""One caller's conversation: carries out what the session decides. One a connection.

Everything here runs on the event loop and returns at once; words come back from the device's
thread through `heard`, speech and the control plane's answers from tasks of their own.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from edge_node.arriving import Arrival
from edge_node.centre.review import Ruling
from edge_node.centre.warden import Seek
from edge_node.desk import Admitted, Elsewhere, Permit, Terms
from edge_node.house import House
from edge_node.ousting import oust
from edge_node.protocols.peer import Peer, Shown
from edge_node.recovery.stay import Stay
from edge_node.recovery.tokens import Mark as TokenMark
from edge_node.recovery.tokens import known_by
from edge_node.relaying import Relay
from edge_node.sessions.events import (
    NEW,
    Audio,
    Command,
    Detach,
    Displaced,
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
    Move,
    MoveDue,
    Ousted,
    Parting,
    ReadAudio,
    Say,
    SeatGranted,
    Stranded,
    TakeSeat,
    Tell,
    Tick,
    Writable,
)
from edge_node.sessions.heard import Heard, SeatFailed
from edge_node.sessions.kept import Kept
from edge_node.sessions.machine import Session
from edge_node.sessions.opening import Opening
from edge_node.sessions.states import Stream
from edge_node.sessions.utterances import Rules
from edge_node.stt.device import Occupant
from edge_node.stt.seat import EndAsked, MarkerAsked, Seat
from edge_node.voicing import Voicing
from heliovox.protocol import codec
from heliovox.protocol.closing import CloseCode
from heliovox.protocol.messages import Error, Final, Recovery, Redirect, Speak, Start
from shared.errors import InvalidMessage, VoiceError
from shared.exchange import MoveTo

_log = logging.getLogger(__name__)

USAGE_S = 30.0
"""Between two notes of what a live session has used."""
MOVE_S = 3.0
"""A session that is to move waits so long for the end of its utterance. Longer, and a node that is
drained waits for those who speak; shorter, and more is heard twice."""


class Conversation:
    """Between the connection's shell and the session's machine.

    Args:
        shown: what the handshake carried, found good there; if nothing, `start` must carry it.
    """

    def __init__(self, peer: Peer, house: House, shown: Shown) -> None:
        self._peer, self._house = peer, house
        self.session = Session(house.offer, house.limits)
        self._occupant: Occupant | None = None
        self._stay: Stay | None = None
        self._token_on_its_way = False
        self._noted_s: float | None = None
        self._ousted = False
        self.left = asyncio.Event()
        """The session is over, or goes on over another connection."""
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._arrival = Arrival(self, house, peer, self._can_write, shown)
        self._voicing = Voicing(peer, house.speaker, house.tasks, self._can_write, self.handle)
        self._effects: dict[type, Callable[[Command], None]] = self._table()

    @property
    def relay(self) -> Relay | None:
        """The way to the node that has the session instead."""
        return self._arrival.relay

    @property
    def characters(self) -> int:
        """Of texts that sounded over this connection."""
        return self._voicing.characters

    @property
    def occupant(self) -> Occupant | None:
        """Its place on the device."""
        return self._occupant

    # --- from the connection ---

    def text(self, data: bytes) -> None:
        """A whole text message. Never raises."""
        if self.relay is not None:
            self.relay.text(data)
        elif self._arrival.asking:
            self._arrival.hold(partial(self.text, data), len(data))
        else:
            self._read(data)

    def _read(self, data: bytes) -> None:
        try:
            message = codec.decode_client(data)
        except codec.Undecodable as error:
            self.refuse(
                InvalidMessage(
                    str(error), field=error.field, value=error.value, remedy="see docs/protocol.md"
                )
            )
            return
        try:
            if isinstance(message, Start) and self.session.opening is None:
                message = self._arrival.permitted(message)
            else:
                self._arrival.must_be_known()
        except VoiceError as error:
            self.refuse(error)
            return
        if self._token_on_its_way:
            self._token_came()
        if isinstance(message, Speak) and self._stay is not None:
            self._stay.came_characters += len(message.text)
        self.handle(message)

    def _token_came(self) -> None:
        """Whoever says something behind `started` has read it."""
        self._token_on_its_way = False
        if self._stay is not None:
            self._house.recoveries.token_came(self._stay)

    def audio(self, data: bytes) -> None:
        """A whole binary message. Never raises."""
        if self.relay is not None:
            self.relay.audio(data)
            return
        if self._arrival.asking:
            self._arrival.hold(partial(self.audio, data), len(data))
            return
        if self._token_on_its_way:
            self._token_came()
        occupant = self._occupant
        worked_off = 0 if occupant is None else occupant.seat.consumed_sample
        self.handle(Audio(data, worked_off))

    def refuse(self, error: VoiceError) -> None:
        """The shell found something that the session cannot live with."""
        if self.relay is not None:
            self.relay.fail(error)
        else:
            self.handle(Failed(error))

    def writable(self, yes: bool) -> None:  # noqa: FBT001 the shell's own signal
        """Whether the caller keeps up with what is sent."""
        if yes:
            self._can_write.set()
        else:
            self._can_write.clear()
        self.handle(Writable(yes))

    def lost(self, *, goodbye: bool = False) -> None:
        """The connection is gone."""
        if self.relay is not None:
            self.relay.lost()
        self.handle(LinkLost(goodbye))
        self._voicing.hush()
        if goodbye and self._stay is not None and self._stay.over:
            self._house.recoveries.forget(self._stay)  # he was told, and has read it

    def displaced(self) -> None:
        """The session goes on over a newer connection."""
        self.handle(Displaced())

    def drain(self, deadline_ms: int) -> None:
        """The node will stop."""
        if self.relay is not None:
            self.relay.drain(deadline_ms)
        else:
            self.handle(Drain(deadline_ms))

    def drain_over(self, reason: str = "draining") -> None:
        """The node stops, or an operator ends it: what was heard is told, then it ends."""
        if self.relay is not None:
            self.relay.end()
        else:
            elsewhere = reason == "draining" and self._house.recoveries.elsewhere()
            self.handle(DrainOver(reason, elsewhere))

    def move(self, to: MoveTo) -> bool:
        """To another node, at the next end of an utterance; whether its caller can go there."""
        permit = self._arrival.permit
        if not self.session.may_move or permit is None or not permit.start().moves:
            return False
        self.handle(Move(Redirect(to.url, to.ticket, to.node, to.region, to.decision, to.reason)))
        asyncio.get_running_loop().call_later(MOVE_S, self.handle, MoveDue())
        return True

    def tick(self, now_s: float) -> None:
        """About once a second."""
        if self._arrival.in_line:  # he waits for us: it is not he who says nothing
            self._look_after()
            return
        self.handle(Tick(now_s))
        if (stay := self.stay) is None:
            return
        if self._noted_s is None:
            self._noted_s = now_s
        elif now_s - self._noted_s >= USAGE_S:
            self._noted_s = now_s
            stay.note("usage")

    @property
    def stay(self) -> Stay | None:
        """The session's stay at the node, while this is its connection."""
        stay = self._stay
        return stay if stay is not None and stay.talk is self and not stay.over else None

    # --- from the device ---

    def heard(self, all_heard: Sequence[Heard]) -> None:
        """What the seat heard, in order."""
        for heard in all_heard:
            if isinstance(heard, SeatFailed):
                self._seat_failed(heard)
            else:
                self.handle(heard)

    def _seat_failed(self, failed: SeatFailed) -> None:
        """The device broke: whom another node can go on with is not told that all is over."""
        if self.session.goes_on and self._house.recoveries.elsewhere():
            self._house.tally.errors[failed.error.code] += 1
            self.handle(Stranded(failed.error.code))
        else:
            self.handle(failed)

    # --- the session's commands ---

    def handle(self, event: Event) -> None:
        """Something happened: does what the session says about it. Never raises."""
        for command in self.session.handle(event):
            self._effects[type(command)](command)
        if self._arrival.in_line and self.session.stream.state is Stream.ENDED:
            self._arrival.gone()

    def _table(self) -> dict[type, Callable[..., None]]:
        return {
            Hear: self._hear,
            Tell: self._tell,
            TakeSeat: lambda command: self._arrival.take_seat(command.opening),
            EndUtterance: self._end_utterance,
            Mark: self._mark,
            Say: self._say,
            Hush: lambda _: self._voicing.hush(),
            ReadAudio: self._read_audio,
            LeaveSeat: lambda _: self._leave_seat(),
            Detach: lambda _: self._detach(),
            HangUp: self._hang_up,
        }

    def _hear(self, command: Hear) -> None:
        if self._occupant is not None:
            self._house.device.push(self._occupant, command.data)

    def _tell(self, command: Tell) -> None:
        if self._stay is None or not self._stay.over:  # else he was told before, and is again
            self._house.tally.told(command.message)
        self._peer.send_text(codec.encode(command.message))
        if isinstance(command.message, Final):
            self._recorded(command.message)

    def _recorded(self, final: Final) -> None:
        """After the caller was told, who waits for nobody."""
        if (stay := self.stay) is not None:
            self._house.record.final(stay.admitted, stay.opening, final)

    # --- a seat ---

    def sit_down(
        self, admitted: Admitted, opening: Opening, permit: Permit, kept: Kept | None
    ) -> None:
        """The session begins here. Raises VoiceError where it cannot, and holds nothing then.

        Args:
            admitted: its seat.
            opening: what it is.
            permit: its caller's.
            kept: what its caller has of it, where another node had it before.
        """
        house, begin = self._house, 0 if kept is None else kept.through_sample
        self._occupant = self._enter(opening, begin)
        stay = self._stay = Stay(house, admitted, opening, permit.account, begin)
        if house.ledger is not None:
            house.ledger.follow(admitted.session, stay.progress)
        stay.attach(self, opening)
        recovery = self._recovery(stay, permit)
        house.record.begun(admitted)
        resume = permit.start().resume or NEW
        decision = admitted.terms.decision
        self.handle(SeatGranted(admitted.session, opening, decision, recovery, kept, resume))
        stay.note("started" if kept is None else "resumed")

    def _recovery(self, stay: Stay, permit: Permit) -> Recovery | None:
        """What it goes on with, should this connection be lost; None: it ends with it."""
        start, recoveries = permit.start(), self._house.recoveries
        wanted = start.recovers or start.resume is not None
        terms = stay.admitted.terms
        if not wanted or not recoveries.waits_s(terms) or terms.admitted_by == "relay":
            return None
        shown = None
        if start.resume is not None:
            shown = TokenMark(permit.resumes, known_by(start.resume.token))
        recoveries.begin(stay, shown)
        self._token_on_its_way = True
        return recoveries.give_token(stay)

    def go_on(self, stay: Stay, kept: Kept, opening: Opening) -> None:
        """The session had another connection before this one."""
        house, permit = self._house, self._arrival.permit
        assert permit is not None
        if kept.farewell is None:
            try:
                self._occupant = self._enter(opening, kept.through_sample)
            except VoiceError as error:
                house.recoveries.pause(stay, kept)
                self.handle(Failed(error))
                return
            stay.attach(self, opening)
        self._stay, self._token_on_its_way = stay, True
        recovery, resume = house.recoveries.give_token(stay), permit.start().resume or NEW
        decision = stay.admitted.terms.decision
        self.handle(SeatGranted(stay.session, opening, decision, recovery, kept, resume))

    def _enter(self, opening: Opening, begin: int) -> Occupant | None:
        """A place on the device, from this sample on. Raises VoiceError."""
        if not opening.hears:
            return None
        device = self._house.device
        profile = device.profile
        frame_ms = 1000 * profile.frame_samples / profile.sample_rate
        rules = Rules.of(frame_ms, opening.endpoint_silence_ms)
        seat = Seat(opening.audio, profile, rules, begin)
        return device.enter(seat, self.heard, opening.graph)

    def _leave_device(self) -> None:
        if self._occupant is not None:
            self._house.device.leave(self._occupant)
            self._occupant = None

    def _leave_seat(self) -> None:
        self._leave_device()
        if (stay := self.stay) is None:
            return
        recoveries = self._house.recoveries
        stay.end(self.session.ended_because)
        self.left.set()
        if self.session.farewell is not None:
            recoveries.pause(stay, self.session.kept)
        else:
            recoveries.forget(stay)
        _log.debug("session %s was\n%s", self.session.id, self.session.history)

    def _detach(self) -> None:
        self._leave_device()
        self._voicing.hush()
        if (stay := self.stay) is not None:
            self._house.recoveries.pause(stay, self.session.kept)
        self.left.set()

    # --- while rules change ---

    @property
    def terms(self) -> Terms | None:
        """By which it was let in, or is passed on; None where it is over."""
        stay = self.stay
        return self._arrival.passed_by if stay is None else stay.admitted.terms

    @property
    def moved(self) -> bool:
        """Whether it went on elsewhere."""
        return self.session.ended_because == "moved"

    def ruled(self, ruling: Ruling, seek: Seek) -> None:
        """Newer rules do not allow it here: it goes as they say, and that is taken down."""
        opening, terms = self.session.opening, self.terms
        permit, stay = self._arrival.permit, self.stay
        assert permit is not None
        assert opening is not None
        assert terms is not None
        if self._ousted:
            return
        if stay is not None:
            stay.ruled = ruling.noted
        if ruling.does == "finish":
            if stay is not None:
                stay.note("usage")
            return
        self._ousted = True
        if self.relay is not None:
            _ = self._house.tasks.begin(self.relay.leave(ruling.error), name="a relay's end")
        else:
            start, question = permit.start(), None
            if ruling.does == "move" and start.redirect and start.moves:
                question = partial(seek, start, opening.kind, terms, ruling)
            self.handle(Ousted(None if question else ruling.error.as_message()))
            _ = self._house.tasks.begin(oust(self, ruling, question), name="an ousted session")

    def part(self, words: Error | Redirect) -> None:
        """The last words of a session that was ousted."""
        self.handle(Parting(words))

    def not_needed(self, found: Admitted | Elsewhere) -> None:
        """Nobody takes a seat that was found."""
        self._arrival.not_needed(found)

    # --- while the control plane is asked ---

    def _look_after(self) -> None:
        """Nothing is read while he waits, so nobody tells us that he is gone."""
        if self._peer.hung_up():
            self._peer.close(CloseCode.GOING_AWAY, "hung up")
            self.lost()

    # --- the seat's own ---

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
        self._voicing.hush()
        self._peer.close(command.code, command.reason)

    def _say(self, command: Say) -> None:
        assert self.session.opening is not None
        self._voicing.say(command, self.session.opening, self.session.id)
