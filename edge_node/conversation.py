"""One caller's conversation: carries out what the session decides. One a connection.

Everything here runs on the event loop and returns at once; words come back from the device's
thread through `heard`, speech and the control plane's answers from tasks of their own.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from edge_node.centre.review import Ruling
from edge_node.centre.warden import Seek
from edge_node.desk import Admitted, Elsewhere, Permit, Question, Terms, Used
from edge_node.house import House
from edge_node.ledger.evidence import Evidence
from edge_node.ousting import oust
from edge_node.protocols.peer import Peer, Shown
from edge_node.relaying import Relay
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
    InLineNow,
    LeaveSeat,
    LinkLost,
    Mark,
    Ousted,
    Parting,
    PassedOn,
    ReadAudio,
    Say,
    SeatGranted,
    SentOn,
    TakeSeat,
    Tell,
    Tick,
    Writable,
)
from edge_node.sessions.heard import Heard
from edge_node.sessions.machine import Session
from edge_node.sessions.opening import Opening
from edge_node.sessions.states import Stream
from edge_node.sessions.utterances import Rules
from edge_node.stt.device import Occupant
from edge_node.stt.seat import EndAsked, MarkerAsked, Seat
from edge_node.voicing import Voicing
from edge_node.waiting import Waiting, waiting_of
from heliovox.protocol import codec
from heliovox.protocol.closing import CloseCode
from heliovox.protocol.control import InLine
from heliovox.protocol.messages import Error, Final, Redirect, Speak, Start
from shared.errors import InvalidMessage, Unauthorised, VoiceError
from shared.exchange import Ruled

_log = logging.getLogger(__name__)

USAGE_S = 30.0
"""Between two notes of what a live session has used."""


class Conversation:
    """Between the connection's shell and the session's machine.

    Args:
        shown: what the handshake carried, found good there; if nothing, `start` must carry it.
    """

    def __init__(self, peer: Peer, house: House, shown: Shown) -> None:
        self._peer, self._house, self._shown = peer, house, shown
        self.session = Session(house.offer, house.limits)
        self._permit: Permit | None = None
        self._settling: asyncio.Task[None] | None = None
        self._in_line: asyncio.Task[None] | None = None
        self._waiting: Waiting | None = None
        self.relay: Relay | None = None
        self._occupant: Occupant | None = None
        self._admitted: Admitted | None = None
        self._noted_s: float | None = None
        self._evidence = Evidence(house.ledger, self)
        self._passed_by: Terms | None = None
        self._ruled: Ruled | None = None
        self._ousted = False
        self.left = asyncio.Event()
        """The session is over."""
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._voicing = Voicing(peer, house.speaker, house.tasks, self._can_write, self._handle)
        self._effects: dict[type, Callable[[Command], None]] = self._table()

    # --- from the connection ---

    def text(self, data: bytes) -> None:
        """A whole text message. Never raises."""
        if self.relay is not None:
            self.relay.text(data)
        elif self._waiting is not None:
            self._hold(partial(self.text, data), len(data))
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
                message = self._permitted(message)
            elif self._permit is None and self._shown.nothing:
                raise _nobody()
        except VoiceError as error:
            self.refuse(error)
            return
        if isinstance(message, Speak) and self._admitted is not None:
            self._evidence.characters += len(message.text)
        self._handle(message)

    def _permitted(self, start: Start) -> Start:
        shown = self._shown.completed(key=start.key, ticket=start.ticket)
        if shown.nothing:
            raise _nobody()
        self._permit = self._house.desk.permit(shown, start)
        return self._permit.start()

    def audio(self, data: bytes) -> None:
        """A whole binary message. Never raises."""
        if self.relay is not None:
            self.relay.audio(data)
            return
        if self._waiting is not None:
            self._hold(partial(self.audio, data), len(data))
            return
        occupant = self._occupant
        worked_off = 0 if occupant is None else occupant.seat.consumed_sample
        self._handle(Audio(data, worked_off))

    def refuse(self, error: VoiceError) -> None:
        """The shell found something that the session cannot live with."""
        if self.relay is not None:
            self.relay.fail(error)
        else:
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
        if self.relay is not None:
            self.relay.lost()
        self._handle(LinkLost())
        self._voicing.hush()

    def drain(self, deadline_ms: int) -> None:
        """The node will stop."""
        if self.relay is not None:
            self.relay.drain(deadline_ms)
        else:
            self._handle(Drain(deadline_ms))

    def drain_over(self, reason: str = "draining") -> None:
        """The node stops, or an operator ends it: what was heard is told, then it ends."""
        if self.relay is not None:
            self.relay.end()
        else:
            self._handle(DrainOver(reason))

    def tick(self, now_s: float) -> None:
        """About once a second."""
        if self._in_line is not None:  # he waits for us: it is not he who says nothing
            self._look_after()
            return
        self._handle(Tick(now_s))
        if self._admitted is None:
            return
        if self._noted_s is None:
            self._noted_s = now_s
        elif now_s - self._noted_s >= USAGE_S:
            self._noted_s = now_s
            self._note("usage")

    # --- from the device ---

    def heard(self, all_heard: Sequence[Heard]) -> None:
        """What the seat heard, in order."""
        for heard in all_heard:
            self._handle(heard)

    # --- the session's commands ---

    def _handle(self, event: Event) -> None:
        for command in self.session.handle(event):
            self._effects[type(command)](command)
        if self._in_line is not None and self.session.stream.state is Stream.ENDED:
            self._in_line.cancel()  # gives up his place
            self._in_line = self._waiting = None

    def _table(self) -> dict[type, Callable[..., None]]:
        return {
            Hear: self._hear,
            Tell: self._tell,
            TakeSeat: self._take_seat,
            EndUtterance: self._end_utterance,
            Mark: self._mark,
            Say: self._say,
            Hush: lambda _: self._voicing.hush(),
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
        if isinstance(command.message, Final):
            self._recorded(command.message)

    def _recorded(self, final: Final) -> None:
        """After the caller was told, who waits for nobody."""
        if self._admitted is not None and self.session.opening is not None:
            self._house.record.final(self._admitted, self.session.opening, final)

    # --- a seat ---

    def _take_seat(self, command: TakeSeat) -> None:
        assert self._permit is not None
        try:
            found = self._permit.seat(command.opening)
        except VoiceError as error:
            self._handle(Failed(error))
            return
        if isinstance(found, Admitted) and self._house.ledger is None:
            self._sit_down(found, command.opening)
        else:
            self._waiting = Waiting()
            work = self._settle(found, command.opening)
            self._settling = self._house.tasks.begin(work, name="a caller's place")

    def _sit_down(self, admitted: Admitted, opening: Opening) -> None:
        house, self._admitted = self._house, admitted
        try:
            if opening.hears:
                profile = house.device.profile
                frame_ms = 1000 * profile.frame_samples / profile.sample_rate
                rules = Rules.of(frame_ms, opening.endpoint_silence_ms)
                seat = Seat(opening.audio, profile, rules)
                self._occupant = house.device.enter(seat, self.heard, opening.graph)
        except VoiceError as error:
            self._admitted = None
            self._evidence.over(admitted, error.code)
            house.desk.leave(admitted)
            self._handle(Failed(error))
            return
        house.live[admitted.session] = self
        house.record.begun(admitted)
        self._handle(SeatGranted(admitted.session, opening, admitted.terms.decision))
        self._note("started")

    def _leave_seat(self) -> None:
        if self._occupant is not None:
            self._house.device.leave(self._occupant)
            self._occupant = None
        if (admitted := self._admitted) is not None:
            self._evidence.over(admitted, self.session.ended_because)
            self._note("ended", self.session.ended_because)
            self._admitted = None
            self._house.live.pop(admitted.session, None)
            self._house.desk.leave(admitted)
            self.left.set()
            self._house.record.over(admitted)
            _log.debug("session %s was\n%s", self.session.id, self.session.history)

    def _note(self, event: Literal["started", "usage", "ended"], reason: str | None = None) -> None:
        opening = self.session.opening
        if self._admitted is None or opening is None:
            return
        hearing = self.session.hearing
        audio_ms = 0 if hearing is None else hearing.totals()[1]
        used = Used(audio_ms, self._voicing.characters)
        self._house.desk.note(event, self._admitted, opening, used, reason, self._ruled)

    # --- while rules change ---

    @property
    def terms(self) -> Terms | None:
        """By which it was let in, or is passed on; None where it is over."""
        return self._passed_by if self._admitted is None else self._admitted.terms

    @property
    def moved(self) -> bool:
        """Whether it went on elsewhere."""
        return self.session.ended_because == "moved"

    def ruled(self, ruling: Ruling, seek: Seek) -> None:
        """Newer rules do not allow it here: it goes as they say, and that is taken down."""
        opening, terms = self.session.opening, self.terms
        assert self._permit is not None
        assert opening is not None
        assert terms is not None
        if self._ousted:
            return
        self._ruled = ruling.noted
        if ruling.does == "finish":
            self._note("usage")
            return
        self._ousted = True
        if self.relay is not None:
            _ = self._house.tasks.begin(self.relay.leave(ruling.error), name="a relay's end")
        else:
            start, question = self._permit.start(), None
            if ruling.does == "move" and start.redirect and start.moves:
                question = partial(seek, start, opening.kind, terms, ruling)
            self._handle(Ousted(None if question else ruling.error.as_message()))
            _ = self._house.tasks.begin(oust(self, ruling, question), name="an ousted session")

    def part(self, words: Error | Redirect) -> None:
        """The last words of a session that was ousted."""
        self._handle(Parting(words))

    def not_needed(self, found: Admitted | Elsewhere) -> None:
        """Nobody takes a seat that was found."""
        self._evidence.over(found, "never_heard")
        if isinstance(found, Admitted):
            self._house.desk.leave(found)
        else:
            self._house.desk.give_back(found)

    # --- while the control plane is asked ---

    def _hold(self, message: Callable[[], None], size_bytes: int) -> None:
        """What comes before the decision is not looked at, and nothing more is read."""
        assert self._waiting is not None
        self._peer.pause_reading()
        try:
            self._waiting.hold(message, size_bytes)
        except VoiceError as error:
            self.refuse(error)

    async def _settle(self, question: Admitted | Question, opening: Opening) -> None:
        """However it ends, no seat is held anywhere for somebody who is gone."""
        try:
            found = await self._evidence.settled(self._permit, question, self._told_to_wait)
        except VoiceError as error:
            self._waiting = self._in_line = None
            self._handle(Failed(error))
            return
        waiting, self._waiting = self._waiting, None
        self._in_line = None
        if self.session.stream.state is Stream.ENDED:
            self.not_needed(found)
            return
        try:
            self._recheck(found)
        except VoiceError as error:
            self.not_needed(found)
            self._handle(Failed(error))
            return
        if isinstance(found, Admitted):
            self._sit_down(found, opening)
        else:
            self._go_elsewhere(found)
        self._peer.resume_reading()
        if waiting is not None:
            waiting.let_go()

    def _recheck(self, found: Admitted | Elsewhere) -> None:
        """Rules may have changed while others were asked; who is sent on is judged there."""
        assert self._permit is not None
        if isinstance(found, Admitted) or not self._permit.start().redirect:
            self._house.desk.recheck(found.terms)

    def _told_to_wait(self, in_line: InLine) -> None:
        """He has a place in line: from here on, whoever goes gives it up at once."""
        self._in_line = self._settling
        self._handle(InLineNow(waiting_of(in_line)))

    def _look_after(self) -> None:
        """Nothing is read while he waits, so nobody tells us that he is gone."""
        if self._peer.hung_up():
            self._peer.close(CloseCode.GOING_AWAY, "hung up")
            self.lost()

    def _go_elsewhere(self, found: Elsewhere) -> None:
        assert self._permit is not None
        answer, start = found.answer, self._permit.start()
        if start.redirect:
            redirect = Redirect(
                answer.url, answer.ticket, answer.node, answer.region, answer.decision, found.reason
            )
            self._handle(SentOn(redirect))
            return
        try:
            relay = self._house.relays.open(
                self._peer,
                self._can_write,
                answer,
                start,
                self._house.tasks,
                partial(self._evidence.over, found, "relayed"),
            )
        except VoiceError as error:
            self.not_needed(found)
            self._handle(Failed(error))
            return
        self._handle(PassedOn())
        self.relay, self._passed_by = relay, found.terms
        self._house.passed.add(self)
        relay.task.add_done_callback(lambda _: self._house.passed.discard(self))

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


def _nobody() -> Unauthorised:
    return Unauthorised("no known key", field="key", remedy="ask for a key")
