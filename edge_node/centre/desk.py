"""The desk of a node of a fleet: tickets, keys of the bundle, and what only the centre can say."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_node.capacity.admission import Admission
from edge_node.centre.admittance import (
    OTHERS_WAIT,
    Admit,
    AskCentre,
    Standing,
    decide,
    not_allowed_here,
)
from edge_node.centre.answers import check_policy, facts_of
from edge_node.centre.expiry import Held
from edge_node.centre.identity import Identity
from edge_node.centre.in_line import InTheirLine
from edge_node.desk import (
    ENDS_WITH_ITS_CONNECTION,
    Admitted,
    Elsewhere,
    NoteEvent,
    Recoverable,
    Terms,
    Used,
)
from edge_node.ledger.sessions import SessionLedger
from edge_node.protocols.peer import Shown
from edge_node.relaying import Relays
from edge_node.sessions.opening import Opening
from heliovox.protocol.control import InLine
from heliovox.protocol.messages import Start
from shared import errors
from shared.clock import Clock
from shared.errors import BusFailed, CentreUnreachable, TicketRefused, Unauthorised, VoiceError
from shared.exchange import KeyGrant, NodeAsk, NodeWait, PlaceAnswer, Ruled, SessionNote
from shared.geography import known_country
from shared.policy import Facts
from shared.pseudonyms import PseudonymKey
from shared.regions.model import GENERAL
from shared.ticket import Ticket, verify_ticket

TEXT_LANGUAGE = "en"
"""Of texts over plain HTTP, which name none."""
_SAID_BY_THE_CENTRE = {
    kind.code: kind
    for kind in (
        errors.InvalidMessage,
        errors.Unsupported,
        errors.Forbidden,
        errors.PolicyNotInEffect,
        errors.PlaceUnknown,
        errors.PlaceContradicted,
        errors.NotAllowed,
        errors.NoRoom,
        errors.CentreUnreachable,
        errors.Unauthorised,
    )
}


class Centre(Protocol):
    """Who knows the whole fleet."""

    async def place(self, ask: NodeAsk) -> PlaceAnswer:
        """Where a caller should go. Raises BusFailed."""
        ...

    def give_back(self, session: str) -> None:
        """A seat elsewhere is not needed."""
        ...

    async def still(self, plane: str, wait: NodeWait) -> PlaceAnswer:
        """How a caller in line stands. Raises BusFailed."""
        ...

    def leave(self, plane: str, waiting: str) -> None:
        """A caller in line waits no more."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a note says of what was asked for; of the caller it says a pseudonym."""

    language: str
    model: str | None = None
    caller: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FleetDesk:
    """See `edge_node.desk.Desk`.

    Args:
        held: what to admit by now.
        key: the centre's.
        wall_s: seconds since 1970.
        note_down: takes a note for whoever counts; returns at once.
        pseudonyms: the region's key; None: callers do not appear in notes.
    """

    who: Identity
    admission: Admission
    held: Callable[[], Held]
    centre: Centre
    relays: Relays
    key: Ed25519PublicKey
    clock: Clock
    wall_s: Callable[[], float]
    new_id: Callable[[], str]
    note_down: Callable[[SessionNote], None]
    ledger: SessionLedger | None = None
    pseudonyms: PseudonymKey | None = None
    in_line: Counter[str] = field(default_factory=Counter)
    """Callers who wait for a seat, by kind."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    # --- who is it? ---

    def doubt(self, shown: Shown) -> VoiceError | None:
        """See Desk."""
        try:
            if shown.ticket is not None:
                self._ticket(shown.ticket)
            else:
                self.grant(shown.key)
        except VoiceError as error:
            return error
        return None

    def permit(self, shown: Shown, start: Start) -> "TicketPermit | KeyPermit":
        """See Desk."""
        if shown.ticket is not None:
            return TicketPermit(start, self._ticket(shown.ticket), self)
        return KeyPermit(start, self.grant(shown.key), self, shown.address)

    def grant(self, key: str | None) -> KeyGrant:
        """Whose key it is.

        Raises:
            Unauthorised: nobody's.
            CentreUnreachable, RulesExpired: no bundle says whose.
        """
        grant = None if key is None else self.held().must().who(key)
        if grant is None:
            raise Unauthorised("unknown key", field="key", remedy="use a key of this fleet")
        return grant

    def speech_terms(self, key: str | None, address: str | None) -> Terms:
        """Those of a text over plain HTTP: by the key's default policy, on this node or not at all.

        Args:
            key: the caller's.
            address: that he came from, where it is one.

        Raises:
            Unauthorised, CentreUnreachable, RulesExpired, NotAllowed, Forbidden.
        """
        grant, held = self.grant(key), self.held()
        rules = held.must()
        name = rules.policy_for(grant, None)
        countries = rules.policies.countries(name, None, known_country(address))
        facts = Facts(grant.tenant, GENERAL, TEXT_LANGUAGE, countries)
        policy = held.effective(name, facts, self.at_ms())
        if self.who.region not in policy.allowed:
            raise not_allowed_here(policy, self.who.region)
        here = self.who.region
        return Terms(
            grant.tenant,
            policy.name,
            policy.version,
            facts=facts,
            home=here,
            bundle_version=rules.bundle.version,
        )

    def _ticket(self, token: str) -> Ticket:
        who = self.who
        return verify_ticket(token, self.key, node=who.node, boot=who.boot, now_s=self.wall_s())

    # --- seats ---

    def redeem(self, ticket: Ticket) -> Admitted:
        """The seat that was promised to a ticket.

        Rules may have changed since it was promised: those of now decide.

        Raises:
            TicketRefused: no seat is promised to it.
            NotAllowed, RulesExpired, PolicyNotInEffect, Unsupported: the rules of now let nobody
                in for whom it was promised.
        """
        promised = self.admission.redeem(ticket.reservation, self.clock.now_s())
        if promised.session != ticket.session or promised.kind != ticket.kind:
            self.admission.leave(promised.kind)
            raise TicketRefused("the seat was promised to another session", field="ticket")
        held = self.held()
        try:
            policy = check_policy(promised, self.who.region, held, self.at_ms())
        except VoiceError:
            self.admission.leave(promised.kind)
            raise
        terms = Terms(
            ticket.tenant,
            policy.name,
            policy.version,
            ticket.decision,
            "relay" if ticket.relay else "ticket",
            facts_of(promised),
            promised.home or self.who.region,
            held.must().bundle.version,
        )
        return Admitted(ticket.session, ticket.kind, terms)

    def redeem_token(self, token: str) -> Admitted:
        """Likewise, for a ticket that this node was sent in an answer."""
        return self.redeem(self._ticket(token))

    def sit(self, kind: str, terms: Terms) -> Admitted:
        """A free seat. Raises NodeFull, NodeDraining."""
        self.admission.take(kind)
        return Admitted(self.new_id(), kind, terms)

    def standing(self, kind: str) -> Standing:
        """The node at this moment."""
        self.admission.expire(self.clock.now_s())
        fits = self.admission.fits(kind)
        in_line = self.in_line.total()
        return Standing(self.who.region, self.admission.draining, fits, self.at_ms(), in_line)

    def at_ms(self) -> int:
        """Milliseconds since 1970."""
        return round(self.wall_s() * 1000)

    def recheck(self, terms: Terms) -> None:
        """See Desk."""
        held = self.held()
        if held.must().bundle.version == terms.bundle_version and held.in_date is not None:
            return
        policy = held.effective(terms.policy, terms.facts, self.at_ms())
        if self.who.region not in policy.allowed:
            raise not_allowed_here(policy, self.who.region)

    def leave(self, admitted: Admitted) -> None:
        """See Desk."""
        self.admission.leave(admitted.kind)

    def retake(self, admitted: Admitted) -> None:
        """See Desk."""
        self.admission.expire(self.clock.now_s())
        self.admission.take(admitted.kind)

    def give_back(self, elsewhere: Elsewhere) -> None:
        """See Desk."""
        self.centre.give_back(elsewhere.answer.session)

    # --- for whoever counts ---

    def note(
        self,
        event: NoteEvent,
        admitted: Admitted,
        opening: Opening,
        used: Used,
        reason: str | None = None,
        ruled: Ruled | None = None,
        recoverable: Recoverable = ENDS_WITH_ITS_CONNECTION,
    ) -> None:
        """See Desk."""
        asked = Asked(opening.language, opening.model, opening.caller)
        self.write(event, admitted, asked, used, reason, ruled, recoverable)

    def pseudonym(self, tenant: str, caller: str | None) -> str | None:
        """As metadata may call a caller."""
        if caller is None or self.pseudonyms is None:
            return None
        return self.pseudonyms.pseudonym(tenant, caller)

    def write(
        self,
        event: NoteEvent,
        admitted: Admitted,
        asked: Asked,
        used: Used,
        reason: str | None,
        ruled: Ruled | None = None,
        recoverable: Recoverable = ENDS_WITH_ITS_CONNECTION,
    ) -> None:
        """One note. The caller's id goes no further than this."""
        terms = admitted.terms
        note = SessionNote(
            id=f"{self.who.node}-{self.who.boot}-{next(self._numbers)}",
            event=event,
            session=admitted.session,
            node=self.who.node,
            region=self.who.region,
            boot=self.who.boot,
            kind=admitted.kind,
            language=asked.language,
            model=asked.model,
            tenant=terms.tenant,
            policy=terms.policy,
            policy_version=terms.policy_version,
            decision=terms.decision,
            admitted_by=terms.admitted_by,
            at_ms=self.at_ms(),
            audio_ms=used.audio_ms,
            characters=used.characters,
            paused_ms=used.paused_ms,
            reason=reason,
            bundle_version=terms.bundle_version,
            ruled=ruled,
            caller=self.pseudonym(terms.tenant, asked.caller),
            recovery_number=recoverable.number,
            recovery_sha256=recoverable.sha256,
            recovery_s=recoverable.expires_s,
            from_sample=recoverable.from_sample,
            home=terms.home,
            data=terms.facts.data,
            countries=tuple(sorted(terms.facts.countries)),
        )
        self.note_down(note)


@dataclass(frozen=True, slots=True)
class TicketPermit:
    """A caller whom the centre sent: the ticket decides, and what he asks for must agree."""

    said: Start
    ticket: Ticket
    desk: FleetDesk

    @property
    def account(self) -> str:
        """See Permit."""
        return self.ticket.tenant

    @property
    def resumes(self) -> int:
        """See Permit."""
        return self.ticket.resumes

    def start(self) -> Start:
        """See Permit. Raises TicketRefused where he asks for something else."""
        said, ticket = self.said, self.ticket
        if ticket.resumes and said.resume is None:
            raise TicketRefused(
                "the ticket is for a session that goes on",
                field="resume",
                remedy="say in `resume` what you have of it",
            )
        for name, asked, permitted in (
            ("kind", said.kind, ticket.kind),
            ("language", said.language.lower(), ticket.language),
            ("model", said.model, ticket.model),
            ("policy", said.policy, ticket.policy),
            ("data", said.data, ticket.data),
        ):
            if asked is not None and permitted is not None and asked != permitted:
                raise TicketRefused(
                    f"the ticket is for {name} {permitted}",
                    field=name,
                    value=asked,
                    remedy="start as the ticket says, or ask the control plane for another one",
                )
        return msgspec.structs.replace(said, model=said.model or ticket.model)

    def seat(self, _opening: Opening) -> Admitted:
        """See Permit."""
        return self.desk.redeem(self.ticket)


@dataclass(frozen=True, slots=True)
class KeyPermit:
    """A caller who came straight here."""

    said: Start
    grant: KeyGrant
    desk: FleetDesk
    address: str | None = None
    resumes: int = 0

    @property
    def account(self) -> str:
        """See Permit."""
        return self.grant.tenant

    def start(self) -> Start:
        """See Permit."""
        return self.said

    def seat(self, opening: Opening) -> "Admitted | CentresQuestion":
        """See Permit."""
        desk, kind = self.desk, opening.kind
        country, standing = known_country(self.address), desk.standing(kind)
        decided = decide(self.said, kind, self.grant, desk.held(), standing, country)
        if isinstance(decided, Admit):
            return desk.sit(kind, decided.terms)
        if decided.ask.relay:
            desk.relays.check_room("a node of your own region")
        return CentresQuestion(decided, desk)


@dataclass(frozen=True, slots=True)
class CentresQuestion:
    """What only the centre can say: who else has room."""

    decided: AskCentre
    desk: FleetDesk

    async def settle(self, tell: Callable[[InLine], None]) -> Admitted | Elsewhere:
        """See Question."""
        ask, who = self.decided.ask, self.desk.who
        try:
            answer = await self.desk.centre.place(ask)
        except BusFailed as error:
            if ask.why == OTHERS_WAIT:  # for an answer that may not come, like ours
                self.desk.recheck(self.decided.terms)
                return self.desk.sit(ask.kind, self.decided.terms)
            raise CentreUnreachable(
                f"this node may not take the caller ({ask.why}), and the control plane, which "
                "knows who may, does not answer",
                field="node",
                value=who.node,
                remedy="try again, or connect to a node of your own region",
            ) from error
        if answer.in_line is not None:
            answer = await self._wait(answer.plane, answer.in_line, tell)
        if not answer.placed:
            raise said_by_the_centre(answer)
        if ask.relay:
            try:
                self.desk.recheck(self.decided.terms)  # who passes a caller on hears him too
            except VoiceError:
                self.desk.centre.give_back(answer.session)
                raise
        if answer.node == who.node:
            return self.desk.redeem_token(answer.ticket)
        terms = replace(self.decided.terms, decision=answer.decision, admitted_by="relay")
        return Elsewhere(answer, ask.why, terms)

    async def _wait(self, plane: str, first: InLine, tell: Callable[[InLine], None]) -> PlaceAnswer:
        desk, kind = self.desk, self.decided.ask.kind
        desk.in_line[kind] += 1
        try:
            return await InTheirLine(desk.centre, plane, first, tell, desk.clock).end()
        finally:
            desk.in_line[kind] -= 1


def said_by_the_centre(answer: PlaceAnswer) -> VoiceError:
    """The centre's refusal, as the caller hears it."""
    fallback = errors.NoRoom if answer.retryable else errors.NotAllowed
    kind = _SAID_BY_THE_CENTRE.get(answer.code or "", fallback)
    return kind(
        answer.message or "the control plane refuses the session",
        remedy=answer.remedy,
        decision=answer.decision or None,
    )
