"""How a caller gets his seat: here, elsewhere, by way of a relay, or back in one that he had."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from edge_node.desk import Admitted, Elsewhere, Permit, Question, Terms
from edge_node.ledger.evidence import Evidence
from edge_node.protocols.peer import Peer, Shown
from edge_node.recovery.returning import comes_back, elsewhere
from edge_node.relaying import Relay
from edge_node.sessions.events import Failed, InLineNow, PassedOn, SentOn
from edge_node.sessions.kept import Kept
from edge_node.sessions.opening import Opening
from edge_node.sessions.states import Stream
from edge_node.waiting import Waiting, waiting_of
from heliovox.protocol.control import InLine
from heliovox.protocol.messages import Redirect, Start
from shared.errors import Unauthorised, VoiceError

if TYPE_CHECKING:
    from edge_node.conversation import Conversation
    from edge_node.house import House


class Arrival:
    """One connection's way to a seat. Nothing here waits but the tasks that it begins.

    Args:
        talk: the connection's conversation, which sits down.
        peer: the caller.
        can_write: set while he keeps up.
        shown: what the handshake carried; if nothing, `start` must carry it.
    """

    def __init__(
        self,
        talk: "Conversation",
        house: "House",
        peer: Peer,
        can_write: asyncio.Event,
        shown: Shown,
    ) -> None:
        self._talk, self._house, self._peer = talk, house, peer
        self._can_write, self._shown = can_write, shown
        self._evidence = Evidence(house.ledger, talk)
        self.permit: Permit | None = None
        self.relay: Relay | None = None
        self.passed_by: Terms | None = None
        self._settling: asyncio.Task[None] | None = None
        self._in_line: asyncio.Task[None] | None = None
        self._waiting: Waiting | None = None
        self._kept: Kept | None = None

    @property
    def asking(self) -> bool:
        """Whether it is not known yet where he sits."""
        return self._waiting is not None

    @property
    def kind(self) -> str:
        """Of the session that it would be."""
        opening = self._talk.session.opening
        return "" if opening is None else opening.kind

    @property
    def in_line(self) -> bool:
        """Whether he was told of a place in line."""
        return self._in_line is not None

    # --- who is it? ---

    def permitted(self, start: Start) -> Start:
        """His `start`, as his ticket completes it. Raises VoiceError."""
        shown = self._shown.completed(key=start.key, ticket=start.ticket)
        if shown.nothing:
            raise nobody()
        self.permit = self._house.desk.permit(shown, start)
        return self.permit.start()

    def must_be_known(self) -> None:
        """Raises Unauthorised where nobody knows who speaks."""
        if self.permit is None and self._shown.nothing:
            raise nobody()

    # --- a seat ---

    def take_seat(self, opening: Opening) -> None:
        """Finds one; how it ends, the conversation is told."""
        permit, house = self.permit, self._house
        assert permit is not None
        try:
            if permit.start().resume is not None:
                back = comes_back(house, permit, opening)
                if back is not None:
                    self._talk.go_on(*back, opening)
                    return
                self._kept = elsewhere(permit, opening)
            found = permit.seat(opening)
            if self._kept is not None and isinstance(found, Admitted):
                self._kept = replace(self._kept, session=found.session)
                at = self._kept.through_sample  # what is here of it is older
                _ = house.recoveries.give_up(found.session, at, permit.resumes + 1)
        except VoiceError as error:
            self._talk.handle(Failed(error))
            return
        if isinstance(found, Admitted) and house.ledger is None:
            self._sit_down(found, opening)
        else:
            self._waiting = Waiting()
            house.arriving.add(self)
            work = self._settle(found, opening)
            self._settling = house.tasks.begin(work, name="a caller's place")
            self._settling.add_done_callback(lambda _: house.arriving.discard(self))

    def _sit_down(self, admitted: Admitted, opening: Opening) -> None:
        assert self.permit is not None
        try:
            self._talk.sit_down(admitted, opening, self.permit, self._kept)
        except VoiceError as error:
            self._evidence.over(admitted, error.code)
            self._house.desk.leave(admitted)
            self._talk.handle(Failed(error))

    def not_needed(self, found: Admitted | Elsewhere) -> None:
        """Nobody takes a seat that was found."""
        self._evidence.over(found, "never_heard")
        if isinstance(found, Admitted):
            self._house.desk.leave(found)
        else:
            self._house.desk.give_back(found)

    # --- while others are asked ---

    def hold(self, message: Callable[[], None], size_bytes: int) -> None:
        """What comes before the decision is not looked at, and nothing more is read."""
        assert self._waiting is not None
        self._peer.pause_reading()
        try:
            self._waiting.hold(message, size_bytes)
        except VoiceError as error:
            self._talk.refuse(error)

    async def _settle(self, question: Admitted | Question, opening: Opening) -> None:
        """However it ends, no seat is held anywhere for somebody who is gone."""
        from_sample = None if self._kept is None else self._kept.through_sample
        try:
            found = await self._evidence.settled(
                self.permit, question, self._told_to_wait, from_sample
            )
        except VoiceError as error:
            self._waiting = self._in_line = None
            self._talk.handle(Failed(error))
            return
        waiting, self._waiting = self._waiting, None
        self._in_line = None
        if self._talk.session.stream.state is Stream.ENDED:
            self.not_needed(found)
            return
        try:
            self._recheck(found)
        except VoiceError as error:
            self.not_needed(found)
            self._talk.handle(Failed(error))
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
        assert self.permit is not None
        if isinstance(found, Admitted) or not self.permit.start().redirect:
            self._house.desk.recheck(found.terms)

    def _told_to_wait(self, in_line: InLine) -> None:
        """He has a place in line: from here on, whoever goes gives it up at once."""
        self._in_line = self._settling
        self._talk.handle(InLineNow(waiting_of(in_line)))

    def gone(self) -> None:
        """Nobody waits for a place any more."""
        if self._in_line is not None:
            self._in_line.cancel()  # gives up his place
            self._in_line = self._waiting = None

    def _go_elsewhere(self, found: Elsewhere) -> None:
        assert self.permit is not None
        answer, start = found.answer, self.permit.start()
        if start.redirect:
            redirect = Redirect(
                answer.url, answer.ticket, answer.node, answer.region, answer.decision, found.reason
            )
            self._talk.handle(SentOn(redirect))
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
            self._talk.handle(Failed(error))
            return
        self._talk.handle(PassedOn())
        self.relay, self.passed_by = relay, found.terms
        self._house.passed.add(self._talk)
        relay.task.add_done_callback(lambda _: self._house.passed.discard(self._talk))


def nobody() -> Unauthorised:
    """The error for a caller who has shown nothing."""
    return Unauthorised("no known key", field="key", remedy="ask for a key")
