"""One caller's session: events in, commands out, in order. Equal histories, equal answers."""

from collections.abc import Callable
from typing import Any

import msgspec

from edge_node.sessions.events import (
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
    InLineNow,
    LeaveSeat,
    LinkLost,
    Mark,
    Move,
    MoveDue,
    Ousted,
    Parting,
    PassedOn,
    SeatGranted,
    SentOn,
    Spoke,
    Stranded,
    TakeSeat,
    Tell,
    Tick,
    Writable,
)
from edge_node.sessions.finals import Finals
from edge_node.sessions.greeting import greeting
from edge_node.sessions.heard import AllHeard, SeatFailed, Wordless, WordsForGood
from edge_node.sessions.hearing import HEARD, Hearing, HearingEvent
from edge_node.sessions.history import History
from edge_node.sessions.kept import Kept, lacked
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Offer, Opening, open_as_asked
from edge_node.sessions.silence import Silence
from edge_node.sessions.speaking import SpeakQueue
from edge_node.sessions.states import (
    LINK_TABLE,
    SEAT_TABLE,
    STREAM_TABLE,
    Link,
    LinkEvent,
    Machine,
    Seat,
    SeatEvent,
    Stream,
    StreamEvent,
)
from heliovox.protocol import messages as wire
from heliovox.protocol.closing import CloseCode
from shared.errors import (
    InvalidMessage,
    LimitPassed,
    NodeDraining,
    Superseded,
    VoiceError,
    WrongKindOfMessage,
)

LIVE, ENDED, DETACHED = Stream.LIVE, Stream.ENDED, Link.DETACHED
"""Asked for at every packet: Python 3.11 is slow to find a member of an enum."""
SHORT_S = 1.5
"""Of audio since the last end of an utterance without a word: a session that moves then goes at
once, as to hear so much again takes less than to wait for the next end."""
MEANT_TO_GO_ON = frozenset({Audio, wire.Flush, wire.Marker, wire.Speak, wire.Finish})
"""What a caller may still say who does not know yet that the node ends the session."""


class Session:
    """The conversation with one caller on this node.

    Args:
        offer: what the node can do.
        limits: what one session may hold.
    """

    def __init__(self, offer: Offer, limits: Limits) -> None:
        self._offer, self._limits = offer, limits
        self.link = Machine(Link.ATTACHED, LINK_TABLE)
        self.seat = Machine(Seat.NONE, SEAT_TABLE)
        self.stream = Machine(Stream.OPENING, STREAM_TABLE)
        self.opening: Opening | None = None
        self.id = ""
        self.history = History()
        self.hearing: Hearing | None = None
        self._speaks = SpeakQueue(limits)
        self._heard_all = False
        self._kept_finals = Finals()
        self._silence = Silence(limits)
        self._end_reason, self._end_code = "finish", CloseCode.NORMAL
        self._going = False
        self._parting: wire.Error | None = None
        self._moving: wire.Redirect | None = None
        self.recovers = False
        """Whether it goes on after its connection is lost."""
        self.farewell: wire.Ended | None = None
        """What such a session was told last: perhaps it did not get it."""
        self.ended_because = ""
        """A reason of `ended`, an error's code, `link_lost`, or what became of it elsewhere."""
        self._handlers: dict[type, Callable[[Any], list[Command]]] = self._table()

    def handle(self, event: Event) -> list[Command]:
        """What to do about an event. Never raises: what is wrong is told to the caller."""
        if self.stream.state is ENDED or self.link.state is DETACHED:
            return []
        if self._ended_by_node and type(event) in MEANT_TO_GO_ON:
            return []
        try:
            return self._handlers[type(event)](event)
        except VoiceError as error:
            return self._fail(error)

    @property
    def _ended_by_node(self) -> bool:
        """Whether the node ends the session: what still comes was sent in good faith."""
        return self.stream.state is Stream.FINISHING and self._end_code is not CloseCode.NORMAL

    @property
    def received_sample(self) -> int:
        """Whole samples received."""
        return 0 if self.hearing is None else self.hearing.received_sample

    def _table(self) -> dict[type, Callable[[Any], list[Command]]]:
        return {
            Audio: self._audio,
            wire.Start: self._start,
            wire.Flush: self._flush,
            wire.Marker: self._marker,
            wire.Ack: self._ack,
            wire.Speak: self._speak,
            wire.Cancel: self._cancel,
            wire.KeepAlive: self._keep_alive,
            wire.Finish: self._finish,
            SeatGranted: self._granted,
            SentOn: self._sent_on,
            PassedOn: self._passed_on,
            InLineNow: lambda event: [Tell(event.waiting)],
            **dict.fromkeys(HEARD, self._heard),
            AllHeard: self._all_heard,
            SeatFailed: lambda event: self._fail(event.error),
            Failed: self._failed,
            Spoke: self._spoke,
            Writable: self._heard,
            LinkLost: self._lost,
            Stranded: self._stranded,
            Displaced: self._displaced,
            Move: self._move,
            MoveDue: lambda _: self._go(),
            Drain: self._drain,
            DrainOver: self._drain_over,
            Ousted: self._ousted,
            Parting: self._part,
            Tick: self._tick,
        }

    # --- what the caller says ---

    def _start(self, ask: wire.Start) -> list[Command]:
        if self.opening is not None:
            raise InvalidMessage("a second start", field="type", remedy="open a new connection")
        self.opening = open_as_asked(ask, self._offer)
        self._silence.broken()
        return [TakeSeat(self.opening)]

    def _granted(self, event: SeatGranted) -> list[Command]:
        self.stream.take(StreamEvent.STARTED)
        self.id, self.recovers = event.session, event.recovery is not None
        if event.kept is not None:
            return self._go_on(event, event.kept)
        self.seat.take(SeatEvent.GRANTED)
        self._listen(event.opening, None)
        self.history.note("started", 0, event.opening.kind)
        return [Tell(greeting(self._offer, event))]

    def _go_on(self, event: SeatGranted, kept: Kept) -> list[Command]:
        """As if the connection had never been lost; but what is in no final is heard again."""
        self.history, self.link, self.seat = kept.history, kept.link, kept.seat
        self.link.take(LinkEvent.RESUMED)
        at = kept.through_sample
        self.history.note("resumed", at, f"the caller has final {event.resume.seq}")
        again = [Tell(final) for final in lacked(kept.finals, event.resume)]
        begun: list[Command] = [Tell(greeting(self._offer, event, at)), *again]
        if kept.farewell is not None:
            self.farewell, self._kept_finals = kept.farewell, kept.finals
            over = self._end("finish")
            return [*begun, Tell(kept.farewell), *over, HangUp(CloseCode.NORMAL, "finish")]
        if self.seat.state is Seat.NONE:  # another node had it
            self.seat.take(SeatEvent.GRANTED)
        self._listen(event.opening, kept.finals)
        return begun

    def _listen(self, opening: Opening, finals: Finals | None) -> None:
        if opening.hears:
            self.hearing = Hearing(opening, self._limits, self.history, finals)

    def _sent_on(self, event: SentOn) -> list[Command]:
        ended = self._end("redirected")
        return [Tell(event.redirect), *ended, HangUp(CloseCode.MOVED, "redirected")]

    def _passed_on(self, _: PassedOn) -> list[Command]:
        return self._end("relayed")

    def _audio(self, event: Audio) -> list[Command]:
        self._silence.broken()
        if self.stream.state is not LIVE or self.hearing is None:
            return self._audio_out_of_place()
        return self.hearing.audio(event)

    def _audio_out_of_place(self) -> list[Command]:
        if self.stream.state is Stream.FINISHING:
            raise InvalidMessage("audio after finish", remedy="send finish after all audio")
        if self.opening is None:
            raise WrongKindOfMessage(
                "a binary message before start", remedy="send start as a text message first"
            )
        raise WrongKindOfMessage(
            f"audio in a session of kind {self.opening.kind}",
            field="kind",
            value=self.opening.kind,
            remedy="open the session with kind recognition or conversation",
        )

    def _flush(self, ask: wire.Flush) -> list[Command]:
        self._must_be_live("flush")
        return [self._listening("flush").wish(EndUtterance(ask.id, "flush"))]

    def _marker(self, ask: wire.Marker) -> list[Command]:
        self._must_be_live("marker")
        return [self._listening("marker").wish(Mark(ask.id))]

    def _listening(self, what: str) -> Hearing:
        if self.hearing is None:
            raise InvalidMessage(
                f"{what} in a session that sends no audio",
                field="type",
                value=what,
                remedy="open the session with kind recognition or conversation",
            )
        return self.hearing

    def _ack(self, ask: wire.Ack) -> list[Command]:
        self._must_be_open("ack")
        return self._listening("ack").acknowledge(ask.seq)

    def _speak(self, ask: wire.Speak) -> list[Command]:
        self._must_be_live("speak")
        if self.opening is None or not self.opening.speaks:
            raise InvalidMessage(
                "speak in a session of kind recognition",
                field="type",
                value="speak",
                remedy="open the session with kind synthesis or conversation",
            )
        return self._speaks.add(ask)

    def _cancel(self, ask: wire.Cancel) -> list[Command]:
        self._must_be_open("cancel")
        return self._speaks.cancel(ask.id)

    def _keep_alive(self, _: wire.KeepAlive) -> list[Command]:
        self._must_be_open("keepalive")
        return []

    def _finish(self, _: wire.Finish) -> list[Command]:
        self._must_be_live("finish")
        return self._begin_end()

    def _begin_end(self) -> list[Command]:
        self.stream.take(StreamEvent.FINISH)
        self.history.note(self._end_reason, self.received_sample)
        if self.hearing is not None:
            return [EndUtterance("", "finish")]
        self._heard_all = True
        return self._end_if_done()

    def _must_be_live(self, what: str) -> None:
        self._must_be_open(what)
        if self.stream.state is not Stream.LIVE:
            raise InvalidMessage(
                f"{what} after finish", field="type", value=what, remedy="send finish last"
            )

    def _must_be_open(self, what: str) -> None:
        self._silence.broken()
        if self.stream.state is Stream.OPENING:
            raise InvalidMessage(
                f"{what} before start", field="type", value=what, remedy="send start first"
            )

    # --- what else happens ---

    def _heard(self, heard: HearingEvent) -> list[Command]:
        if self.hearing is None:
            return []
        commands = self.hearing.handle(heard)
        if self._moving is not None and isinstance(heard, WordsForGood | Wordless):
            commands += self._go()
        return commands

    def _all_heard(self, _: AllHeard) -> list[Command]:
        self._heard_all = True
        return self._end_if_done()

    def _spoke(self, event: Spoke) -> list[Command]:
        spoken = wire.Spoken(event.id, event.samples, event.cancelled)
        return [*self._speaks.over(spoken), *self._end_if_done()]

    def _end_if_done(self) -> list[Command]:
        finishing = self.stream.state is Stream.FINISHING
        cut_short = self._end_code is not CloseCode.NORMAL
        if finishing and self._heard_all and self._parting is not None:
            return self._leave_with(self._parting)
        if not finishing or not self._heard_all or (self._speaks and not cut_short):
            return []
        seq, audio_ms = (0, 0) if self.hearing is None else self.hearing.totals()
        ended = wire.Ended(self.id, self._end_reason, seq, audio_ms)
        over = self._end(self._end_reason)
        if self.recovers and not cut_short:
            self.farewell = ended
        return [Tell(ended), *over, HangUp(self._end_code, self._end_reason)]

    def _end(self, because: str) -> list[Command]:
        self.stream.take(StreamEvent.END)
        self.ended_because = because
        if self.seat.state is Seat.NONE:
            return []
        self.seat.take(SeatEvent.RELEASED)
        return [LeaveSeat()]

    def _fail(self, error: VoiceError) -> list[Command]:
        self.history.note("failed", self.received_sample, error.code)
        over = self._end(error.code)
        return [Tell(error.as_message()), *over, HangUp(error.close_code, error.code)]

    def _failed(self, event: Failed) -> list[Command]:
        """A caller who does not read may just be cut off: he can come back."""
        error = event.error
        if not (isinstance(error, LimitPassed) and self.goes_on):
            return self._fail(error)
        self._detach("unread")
        return [Tell(error.as_message()), HangUp(error.close_code, error.code), Detach()]

    # --- a connection is lost, another one takes its place, or the session moves ---

    @property
    def goes_on(self) -> bool:
        """Whether the session is not over with its connection."""
        begun = self.stream.state in (Stream.LIVE, Stream.FINISHING)
        return self.recovers and begun and not self._going and not self._ended_by_node

    @property
    def may_move(self) -> bool:
        """Whether it can go to another node, and is not on its way."""
        return self.goes_on and self.stream.state is LIVE and self._moving is None

    @property
    def kept(self) -> Kept:
        """What it goes on with, once its connection is gone."""
        assert self.opening is not None
        finals = self._kept_finals if self.hearing is None else self.hearing.finals
        return Kept(
            self.id,
            self.opening,
            finals,
            self.history,
            Machine(DETACHED, LINK_TABLE),
            Machine(self.seat.state, SEAT_TABLE),
            self.received_sample,
            self.farewell,
        )

    def _detach(self, why: str) -> None:
        self.link.take(LinkEvent.LOST)
        self.history.note(why, self.received_sample)

    def _lost(self, event: LinkLost) -> list[Command]:
        goes_on = self.goes_on and not event.goodbye
        self._detach("link lost")
        return [Detach()] if goes_on else self._end("link_lost")

    def _stranded(self, event: Stranded) -> list[Command]:
        """Its caller comes back, finds that it cannot be here, and goes on elsewhere."""
        if not self.goes_on:
            return []
        self._detach(event.reason)
        return [HangUp(CloseCode.GOING_AWAY, event.reason), Detach()]

    def _displaced(self, _: Displaced) -> list[Command]:
        error = Superseded(
            "the session goes on over a newer connection",
            remedy="leave it to the newer connection",
        )
        if not self.goes_on:
            return self._fail(error)
        self._detach("superseded")
        return [Tell(error.as_message()), HangUp(error.close_code, error.code), Detach()]

    def _move(self, event: Move) -> list[Command]:
        if not self.may_move:
            return []
        self._moving = event.redirect
        return self._go() if self.hearing is None or self.hearing.idle(SHORT_S) else []

    def _go(self) -> list[Command]:
        """To another node, which hears all that no final covers. Who ends meanwhile may."""
        if self._moving is None or not self.goes_on or self.stream.state is not LIVE:
            return []
        at = 0 if self.hearing is None else self.hearing.finals.through_sample
        going = msgspec.structs.replace(self._moving, from_sample=at)
        self._detach("moves")
        self.seat.take(SeatEvent.HAND_OVER)
        return [Tell(going), HangUp(CloseCode.MOVED, "redirected"), Detach()]

    # --- the node ends it ---

    def _drain(self, event: Drain) -> list[Command]:
        """Who has not said `start` yet will be told by the answer to it."""
        opening = self.stream.state is Stream.OPENING
        return [] if opening else [Tell(wire.Draining(event.deadline_ms))]

    def _drain_over(self, event: DrainOver) -> list[Command]:
        if event.elsewhere and self.goes_on:
            return self._stranded(Stranded(event.reason))
        self._end_reason, self._end_code = event.reason, CloseCode.GOING_AWAY
        if self.stream.state is Stream.LIVE:
            return self._begin_end()
        if self.stream.state is Stream.FINISHING:
            return self._end_if_done()
        raise NodeDraining("the node stops", remedy="use another node")

    def _ousted(self, event: Ousted) -> list[Command]:
        """Words of what was heard are still told. Who ends by himself may, as he would have."""
        if self.stream.state is not LIVE or self._going:
            return []
        self._going, self._parting = True, event.parting
        self._end_reason, self._end_code = "ousted", CloseCode.FORBIDDEN
        if event.parting is not None:
            return self._begin_end()
        self.stream.take(StreamEvent.FINISH)
        return []

    def _part(self, event: Parting) -> list[Command]:
        """To another node, which hears all that no final covers; or out, with what was heard."""
        match event.words:
            case wire.Redirect():
                at = 0 if self.hearing is None else self.hearing.finals.through_sample
                going = msgspec.structs.replace(event.words, from_sample=at)
                return [Tell(going), *self._end("moved"), HangUp(CloseCode.MOVED, "redirected")]
            case wire.Error():
                self._parting = event.words
                if self.hearing is not None:
                    return [EndUtterance("", "finish")]
                self._heard_all = True
                return self._end_if_done()

    def _leave_with(self, words: wire.Error) -> list[Command]:
        return [Tell(words), *self._end(words.code), HangUp(CloseCode.FORBIDDEN, words.code)]

    def _tick(self, event: Tick) -> list[Command]:
        reading = self.hearing is None or self.hearing.reading
        self._silence.tick(event.now_s, opened=self.opening is not None, reading=reading)
        return []
