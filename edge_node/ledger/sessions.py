"""The sessions of a node in its ledger: opened before they are heard, metered, closed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_node.desk import Terms
from edge_node.ledger.book import Book, NotDurable
from shared.clock import Clock
from shared.errors import LedgerUnavailable, VoiceError
from shared.ledger.allowed import allowed_digest
from shared.ledger.metering import Meter
from shared.ledger.records import Opened, Role
from shared.policy import CompiledPolicy

_log = logging.getLogger(__name__)

OPEN_S = 2.0
"""For the disk, before a session that needs the ledger is refused. A caller waits in silence."""
WANTED_S = 0.5
"""Likewise, before one that only wants it is heard without."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session is on this node."""

    samples: int = 0
    """Received."""
    released: int = 0
    """The caller does not send again what lies before."""
    characters: int = 0
    """Of texts that came."""
    acked_seq: int = 0
    acked_sample: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A session that is about to be heard here."""

    session: str
    role: Role
    kind: str
    rate: int
    terms: Terms
    caller: str | None = field(default=None, repr=False)
    """As his own side calls him."""
    from_sample: int | None = None
    """Where it goes on here; None where no other node had it before."""


@dataclass(slots=True)
class _Live:
    meter: Meter
    read: Callable[[], Progress]
    goes_on: bool
    """Another node had it before."""


class SessionLedger:
    """What conversations, relays and texts tell the ledger.

    Args:
        book: where it is written.
        policy: what a session's policy comes to now; None where that is not known.
        pseudonym: of a tenant's caller, whose own id is never written down; None where there is
            none, or no key to make one with.
    """

    def __init__(
        self,
        book: Book,
        clock: Clock,
        policy: Callable[[Terms], CompiledPolicy | None],
        pseudonym: Callable[[str, str | None], str | None],
    ) -> None:
        self._book, self._clock, self._policy = book, clock, policy
        self._pseudonym = pseudonym
        self._live: dict[str, _Live] = {}
        self.undurable = 0
        """Sessions that were heard though nothing on the disk says so."""
        self.refused = 0
        """Sessions that were not heard, because nothing on the disk would have said so."""

    def __len__(self) -> int:
        return len(self._live)

    async def opened(self, heard: Heard, read: Callable[[], Progress]) -> None:
        """Returns once it is on the disk that the session is about to be heard.

        Args:
            heard: which session.
            read: how far it is, asked now and then until it is closed.

        Raises:
            LedgerUnavailable: its policy requires that, and it cannot be.
        """
        policy = self._policy(heard.terms)
        required = policy is not None and policy.ledger == "required"
        counts = heard.role != "relay"
        meter = Meter(heard.session, counts, heard.from_sample or 0, self._now_ms())
        self._live[heard.session] = _Live(meter, read, heard.from_sample is not None)
        pseudonym = self._pseudonym(heard.terms.tenant, heard.caller)
        self._book.note([_record(heard, policy, pseudonym)], soon=True)
        try:
            await self._book.durable(OPEN_S if required else WANTED_S)
        except NotDurable as error:
            if required:
                self.refused += 1
                self.closed(heard.session, "refused", heard=False)
                raise unavailable(heard, str(error)) from error
            self.undurable += 1

    def follow(self, session: str, read: Callable[[], Progress]) -> None:
        """From now on this says how far it is. One that is closed is no error."""
        if (live := self._live.get(session)) is not None:
            live.read = read

    def given_up(self, session: str, through_sample: int) -> None:
        """Another node has it, and counts from this sample on. One that is closed is no error."""
        if (live := self._live.pop(session, None)) is None:
            return
        far = _read(live)
        acked = min(far.acked_sample, through_sample)
        self._book.note(live.meter.hand_over(through_sample, far.acked_seq, acked), soon=True)

    def tick(self) -> None:
        """About once a second."""
        now_ms, records = self._now_ms(), []
        for live in self._live.values():
            _read(live)
            records += live.meter.due(now_ms)
        if records:
            self._book.note(records)

    def closed(self, session: str, reason: str, *, heard: bool = True) -> None:
        """The node hears no more of it. One that is closed already is no error.

        Args:
            session: its name.
            reason: why.
            heard: whether it began here at all. What another node had, and did not begin here, did
                not end here either.
        """
        if (live := self._live.pop(session, None)) is None:
            return
        far = _read(live)
        over = heard or not live.goes_on
        records = live.meter.close(reason, far.acked_seq, far.acked_sample, over=over)
        self._book.note(records, soon=True)

    def _now_ms(self) -> int:
        return round(self._clock.now_s() * 1000)


def unavailable(heard: Heard, why: str) -> VoiceError:
    """The refusal, which says why."""
    return LedgerUnavailable(
        f"policy {heard.terms.policy} requires a ledger, and this node's cannot be written: {why}",
        field="policy",
        value=heard.terms.policy,
        remedy="use another node; the operator finds the cause in this one's log",
    )


def _read(live: _Live) -> Progress:
    far = live.read()
    live.meter.heard(far.samples, far.released, far.characters)
    return far


def _record(heard: Heard, policy: CompiledPolicy | None, caller: str | None) -> Opened:
    terms, facts = heard.terms, heard.terms.facts
    same = policy is not None and policy.version == terms.policy_version
    return Opened(
        session=heard.session,
        role=heard.role,
        kind=heard.kind,
        tenant=terms.tenant,
        policy=terms.policy,
        policy_version=terms.policy_version,
        bundle_version=terms.bundle_version,
        data=facts.data,
        language=facts.language,
        countries=tuple(sorted(facts.countries)),
        allowed=allowed_digest(policy) if policy is not None and same else "",
        home=terms.home,
        admitted_by=terms.admitted_by,
        decision=terms.decision,
        caller=caller,
        rate=heard.rate,
        from_sample=heard.from_sample or 0,
    )
