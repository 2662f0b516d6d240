"""What one conversation leaves in the ledger: before it is heard, while it is, and at its end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_node.desk import Admitted, Elsewhere, Permit, Question
from edge_node.ledger.sessions import Heard, Progress, SessionLedger
from edge_node.relaying import Relay
from edge_node.sessions.machine import Session
from edge_node.sessions.opening import Opening
from heliovox.protocol.control import InLine
from shared.errors import VoiceError
from shared.ledger.records import Role


class Talk(Protocol):
    """The conversation itself."""

    session: Session

    @property
    def relay(self) -> Relay | None:
        """The way to the node that has it instead."""
        ...

    def not_needed(self, found: Admitted | Elsewhere) -> None:
        """Nobody takes a seat that was found."""
        ...


@dataclass(slots=True)
class Evidence:
    """One conversation's.

    Args:
        ledger: None on a node that is in no fleet.
        talk: the conversation.
    """

    ledger: SessionLedger | None
    talk: Talk

    async def settled(
        self,
        permit: Permit | None,
        question: Admitted | Question,
        tell: Callable[[InLine], None],
        from_sample: int | None = None,
    ) -> Admitted | Elsewhere:
        """Where the caller's seat is: on the disk first, if anything is to be heard here.

        Args:
            permit: his.
            question: a seat, or what has to be settled for one.
            tell: told of a place in line.
            from_sample: where it goes on, if another node had it before.

        Raises:
            VoiceError: he has none, and none is held: LedgerUnavailable among others.
        """
        found: Admitted | Elsewhere
        if isinstance(question, Admitted):
            found = question
        else:
            found = await question.settle(tell)
        opening = self.talk.session.opening
        assert permit is not None
        assert opening is not None
        try:
            passed_on = not permit.start().redirect
            await self._before(found, opening, from_sample, passed_on=passed_on)
        except VoiceError:
            self.talk.not_needed(found)
            raise
        return found

    async def _before(
        self,
        found: Admitted | Elsewhere,
        opening: Opening,
        from_sample: int | None,
        *,
        passed_on: bool,
    ) -> None:
        """Returns once it is on the disk that the session is about to be heard here."""
        if self.ledger is None:
            return
        rate = opening.audio.sample_rate if opening.hears else 0
        if isinstance(found, Admitted):
            role: Role = "recogniser" if opening.hears else "speaker"
            here = Heard(
                found.session, role, opening.kind, rate, found.terms, opening.caller, from_sample
            )
            await self.ledger.opened(here, Progress)  # nothing yet; then the session's stay says
        elif passed_on:
            session = found.answer.session
            here = Heard(session, "relay", opening.kind, rate, found.terms, opening.caller)
            await self.ledger.opened(here, self._passed_on)

    def over(self, found: Admitted | Elsewhere, reason: str) -> None:
        """Nobody sat down for it here, or it was passed on. May be repeated."""
        session = found.session if isinstance(found, Admitted) else found.answer.session
        if self.ledger is not None:
            self.ledger.closed(session, reason, heard=False)

    def _passed_on(self) -> Progress:
        """How far a relay is."""
        relay = self.talk.relay
        if relay is None:
            return Progress()
        return Progress(samples=relay.heard_samples, characters=relay.heard_characters)
