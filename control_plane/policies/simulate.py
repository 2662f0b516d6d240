"""Recorded decisions under a proposed world: who would be placed elsewhere, wait, be refused. Pure.

Batches and notes in, in the order of the log; counts out. The fleet is as it was recorded, but for
the seats of those who are placed elsewhere: theirs are free where they were and taken where they
are, until their sessions end. Where that changes nothing that a session could see, and its policy
chooses as it did, the recorded decision stands; else it is decided by the very `decide` that
control planes use, with the same draws.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from control_plane.placement.decide import decide
from control_plane.placement.ranking import MOST_CANDIDATES
from control_plane.placement.record import Batch, Decided, Tried
from control_plane.policies.lasting import Lasting
from control_plane.policies.orders import ROUNDS_MS, Order, Seat, side_of
from control_plane.policies.review import Found
from control_plane.policies.seats import Corrected, Seats
from control_plane.policies.stage import Stage, Worlds
from control_plane.policies.tally import Counts, Tally
from control_plane.policies.terms import Both, TermsOfBoth
from control_plane.records.contents import Noted
from shared.policy import CompiledPolicy, Facts
from shared.regions.model import World

RETRY_MS = 500
"""Between two looks for those who wait here and did not in the record."""
MEAN_S = 180.0
"""How long a session is taken to last where nothing is noted of any."""
_OPEN = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """What to count.

    Attributes:
        from_ms: sessions that were asked for from then on.
        until_ms: and before then; None for all, both.
        mean_s: see MEAN_S.
    """

    from_ms: int | None = None
    until_ms: int | None = None
    mean_s: float = MEAN_S

    def counts(self, at_ms: int) -> bool:
        """Whether a session counts that was asked for then."""
        late = self.until_ms is not None and at_ms >= self.until_ms
        return not late and (self.from_ms is None or at_ms >= self.from_ms)


class Choice(NamedTuple):
    """What is decided under the proposed policy."""

    nodes: tuple[str, ...]
    """The best first; none for a refusal."""
    codes: tuple[str, ...]
    hopeless: bool
    """Refused for good: waiting does not mend it."""


class _Open(NamedTuple):
    """A decision of which it is not known yet what came of it."""

    order: Order
    decided: Decided
    choice: Choice | None
    """None: as recorded."""


class Simulation:
    """One run.

    Args:
        world: the proposed one.
        options: what to count.
    """

    def __init__(self, world: World, options: Options | None = None) -> None:
        self._world, self._options = world, options or Options()
        self._worlds = Worlds()
        self._terms = TermsOfBoth(world, self._worlds)
        self._stages: dict[tuple[str, str], Stage] = {}
        self._seats = Seats()
        self._corrected = Corrected(self._seats)
        self._lasting = Lasting(self._seats, round(self._options.mean_s * 1000))
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._opened: OrderedDict[str, _Open] = OrderedDict()
        self._waiters: dict[str, Order] = {}
        self._looked_ms = self._now_ms = 0
        self._nowhere = Counts()
        self._tally = Tally()
        self._found = Found(self._tally.counted, [], set())

    def batch(self, batch: Batch) -> None:
        """Records of one control plane."""
        start = (batch.plane, batch.start)
        if start not in self._stages:
            self._stages[start] = Stage(
                self._world,
                self._worlds,
                self._heard,
                self._lasting.restarted,
                self._options.counts,
            )
        self._stages[start].read(batch)

    def notes(self, notes: Sequence[Noted]) -> None:
        """Beginnings and ends of sessions."""
        for note in notes:
            self._lasting.noted(note)
            direct = note.event == "started" and note.admitted_by == "node"
            if direct and self._options.counts(note.at_ms):
                self._direct(note)

    def finish(self) -> Found:
        """The log is over: what was found. Who still waits on one side is not counted."""
        for order in tuple(self._orders.values()):
            self._time_is_up(order, self._now_ms + ROUNDS_MS + 1)
        self._lasting.finish(self._now_ms)
        found = self._found
        found.examples = list(self._tally.examples())
        found.skipped = sum(stage.skipped for stage in self._stages.values())
        return found

    def _direct(self, note: Noted) -> None:
        """Of such a session, its tenant and language are known and nothing else."""
        facts = Facts(note.tenant, language=note.language)
        self._found.direct += 1
        self._found.direct_forbidden += not self._terms.allows(
            note.policy, facts, note.at_ms, note.region
        )

    def _heard(self, stage: Stage, record: Decided | Tried) -> None:
        if isinstance(record, Tried):
            self._tried(stage, record)
        else:
            self._decided(stage, record)

    def _decided(self, stage: Stage, decided: Decided) -> None:
        self._pass(stage, decided.ask.at_ms)
        if decided.ask.continues:
            return  # a session that is counted where it began
        terms = self._terms.of(decided)
        order = self._order(decided, terms)
        if self._options.counts(decided.ask.at_ms):
            self._found.decisions += 1
            self._found.before.add(decided.policy_version)
        choice = None if order.proposed.over else self._choice(stage, decided, terms)
        self._opened[decided.ask.id] = _Open(order, decided, choice)
        if len(self._opened) > _OPEN:
            self._opened.popitem(last=False)

    def _order(self, decided: Decided, terms: Both) -> Order:
        key = decided.ask.order or decided.ask.id
        order = self._orders.get(key)
        if order is None:
            order = self._orders[key] = Order(
                first=decided,
                recorded=side_of(terms.recorded, decided),
                proposed=side_of(terms.proposed, decided),
            )
            if len(self._orders) > _OPEN:
                self._orders.popitem(last=False)
        order.decision = decided.ask.id
        if terms.proposed is not None:
            order.removed = dict(terms.proposed.removed)
        return order

    def _choice(self, stage: Stage, decided: Decided, terms: Both) -> Choice | None:
        """What is decided now; None where the recorded decision stands."""
        if terms.proposed is None:
            return Choice((), (terms.refusal,), hopeless=True)
        if terms.alike and not self._seats.touch(terms.proposed.allowed):
            return None
        return self._decide(stage, decided, terms.proposed)

    def _decide(self, stage: Stage, decided: Decided, policy: CompiledPolicy) -> Choice:
        self._found.decided_again += 1
        view = self._corrected.of(stage.view())
        decision = decide(view, decided.ask, policy)
        best = decision.ranked.nodes[:MOST_CANDIDATES].tolist()
        nodes = tuple(view.roster.names[node] for node in best)
        return Choice(nodes, decision.codes, hopeless=decision.outcome == "not_allowed")

    def _tried(self, stage: Stage, tried: Tried) -> None:
        opened = self._opened.pop(tried.decision, None)
        if opened is None:
            return
        order, decided, choice = opened
        seat = self._recorded_seat(stage, decided, tried)
        hopeless = decided.outcome == "not_allowed"
        before = order.stands
        order.recorded.decided(seat, decided.codes, hopeless=hopeless)
        if seat is not None:
            order.session = tried.session
        if not order.proposed.over:
            if choice is not None:
                seat = self._chosen(stage, decided, choice, tried)
                order.proposed.decided(seat, choice.codes, hopeless=choice.hopeless)
            else:
                order.proposed.decided(seat, decided.codes, hopeless=hopeless)
            if not order.proposed.patient and (order.recorded.over or order.recorded.patient):
                order.proposed.over = True  # or it would profit from the other's patience
        if order.stands != before:
            self._moved_on(order)

    def _recorded_seat(self, stage: Stage, decided: Decided, tried: Tried) -> Seat | None:
        gave = (node for node, said in _answers(tried) if said == "granted")
        node = next(gave, None)
        known = node is not None and tried.session is not None
        return self._seat(stage, decided, node) if known and node is not None else None

    def _chosen(self, stage: Stage, decided: Decided, choice: Choice, tried: Tried) -> Seat | None:
        """The best that did not say no to this very session."""
        said_no = {node for node, said in _answers(tried) if said != "granted"}
        node = next((node for node in choice.nodes if node not in said_no), None)
        return None if node is None else self._seat(stage, decided, node)

    def _seat(
        self, stage: Stage, decided: Decided, node: str, at_ms: int | None = None
    ) -> Seat | None:
        region = stage.region_of(node)
        if region is None:
            return None
        version = decided.policy_version
        return Seat(
            at_ms=decided.ask.at_ms if at_ms is None else at_ms,
            node=node,
            region=region,
            rtt_ms=self._terms.rtt_ms(decided.ask.place, region, version),
            usd_per_h=self._terms.hourly_cost_usd(region, version) / stage.seats_of(node),
        )

    def _moved_on(self, order: Order) -> None:
        """Something about it is decided that was not before."""
        key, counted = order.key, self._options.counts(order.first_ms)
        if order.recorded.seat is not None or order.proposed.seat is not None:
            counts = self._tally.row(order) if counted else self._nowhere
            self._lasting.seated(order, counts, self._now_ms)
        if order.recorded.over and not order.proposed.over:
            self._waiters[key] = order
        if order.over:
            self._waiters.pop(key, None)
            self._orders.pop(key, None)
            if counted:
                self._count(order)

    def _count(self, order: Order) -> None:
        found, at_ms = self._found, order.first_ms
        found.first_ms = at_ms if found.first_ms is None else min(found.first_ms, at_ms)
        found.last_ms = max(found.last_ms or at_ms, at_ms)
        self._tally.add(order)

    def _pass(self, stage: Stage, at_ms: int) -> None:
        """Time passed, as far as the records say."""
        self._now_ms = max(self._now_ms, at_ms)
        if self._now_ms - self._looked_ms < RETRY_MS:
            return
        self._looked_ms = self._now_ms
        self._lasting.passed(self._now_ms)
        for order in tuple(self._orders.values()):
            self._time_is_up(order, self._now_ms)
        self._retry(stage)

    def _time_is_up(self, order: Order, now_ms: int) -> None:
        before = order.stands
        for side in (order.recorded, order.proposed):
            if not side.over and side.until_ms < now_ms:
                side.refused()
        if order.stands != before:
            self._moved_on(order)

    def _retry(self, stage: Stage) -> None:
        """Those who wait here and not in the record: the first of each line, as they came."""
        full: set[Hashable] = set()
        for order in tuple(self._waiters.values()):
            line = _line(order)
            if line in full:
                continue
            policy = self._terms.of(order.first).proposed
            if policy is None:
                continue
            choice = self._decide(stage, order.first, policy)
            if not choice.nodes:
                full.add(line)
                continue
            seat = self._seat(stage, order.first, choice.nodes[0], self._now_ms)
            order.proposed.decided(seat, choice.codes, hopeless=choice.hopeless)
            if order.proposed.over:
                self._moved_on(order)


def _answers(tried: Tried) -> Iterator[tuple[str, str]]:
    """(node, code), in order."""
    for told in tried.story:
        node, _, said = told.partition(": ")
        yield node, said


def _line(order: Order) -> Hashable:
    """Those who ask for the same, as control planes have it."""
    ask = order.first.ask
    about = (round(ask.place.lat / 10), round(ask.place.lon / 10))
    return (
        order.first.policy,
        ask.tenant,
        ask.data,
        ask.countries,
        ask.kind,
        ask.language,
        ask.model,
        about,
    )
