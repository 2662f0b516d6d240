"""The whole way of a session to its seat: decide, reserve, sign; wait where the policy waits."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.decisions import Decisions
from control_plane.fleet import Fleet
from control_plane.gate import Gate
from control_plane.ids import NewId, random_id
from control_plane.orders import Order
from control_plane.placement import Decision, PlacementAsk, decide, refusal
from control_plane.placement.attempts import GivenUp, Seated, Step
from control_plane.placement.reach import reach
from control_plane.placement.recorder import Recorder
from control_plane.placing_again import asked_again, going_to, wanted_again
from control_plane.reserving import Reserving
from control_plane.sessions.ahead import Going
from control_plane.sessions.table import Row, SessionTable
from control_plane.waiting.hall import Asker, CallerGone, Gone, Turn, Waiting
from control_plane.waiting.queue import Line
from heliovox.protocol.control import NearestView, Placed
from shared.bus import Bus
from shared.clock import Clock, wall_ms, wall_s
from shared.errors import NoRoom, NotAllowed, VoiceError
from shared.exchange import Reserve
from shared.places import coarse
from shared.policy import Policies
from shared.ticket import Ticket, sign_ticket


@dataclass(slots=True)
class Tools:
    """What placing works with."""

    bus: Bus
    clock: Clock
    fleet: Fleet
    gate: Gate
    policies: Callable[[], Policies]
    """Of now."""
    reserving: Reserving
    waiting: Waiting
    decisions: Decisions
    recorder: Recorder
    publish: Callable[[str], None]
    """Told the id of every decision that is remembered."""
    table: SessionTable
    going: Callable[[Going], None]
    """Told of every seat for a session that goes on elsewhere."""
    key: Ed25519PrivateKey
    ticket_ttl_s: float
    draw: random.Random
    new_decision_id: NewId


OVERALL_S = 2.0
"""For all nodes that are asked for one order, in all rounds."""
MOST_ROUNDS = 3
"""Decisions that lead to nodes which all say no. In a burst a view is older than its nodes' seats:
who was asked says so, and the next decision goes elsewhere."""


def never() -> bool:
    """Of callers who come for their answer later, or whom nobody can look after."""
    return False


class _Round(msgspec.Struct, frozen=True):
    decision: Decision
    wanted: Reserve
    step: Step


class Placer:
    """Finds seats for orders."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.outcomes: Counter[str] = Counter()
        """Orders by what became of them: `placed`, or a refusal's code."""

    async def place(self, order: Order, gone: Gone = never) -> Placed:
        """A seat, held, with its ticket. Raises VoiceError that names the decision."""
        return await self.counted(self._place(order, gone))

    async def counted(self, work: Awaitable[Placed]) -> Placed:
        """What becomes of an order, counted."""
        try:
            placed = await work
        except VoiceError as error:
            self.outcomes[error.code] += 1
            raise
        self.outcomes["placed"] += 1
        return placed

    async def _place(self, order: Order, gone: Gone) -> Placed:
        if not len(self._tools.waiting) and not waits(order):
            return await self.attempt(order, gone)
        found = await self._passing_nobody(order, gone)
        if isinstance(found, Placed):
            return found
        return cast("Placed", await self._tools.waiting.wait(self._asker(order, found, gone)))

    async def at_once(self, order: Order, gone: Gone) -> Placed | NoRoom:
        """A seat where there is one that nobody waits for, else why not. Raises VoiceError."""
        try:
            found = await self._passing_nobody(order, gone)
        except VoiceError as error:
            self.outcomes[error.code] += 1
            raise
        self.outcomes["placed"] += isinstance(found, Placed)
        return found

    def stand(self, order: Order, full: NoRoom) -> Turn:
        """A place in line, whose end nobody counts. Raises NoRoom."""
        return self._tools.waiting.stand(self._asker(order, full, never))

    async def _passing_nobody(self, order: Order, gone: Gone) -> Placed | NoRoom:
        waiting = self._tools.waiting
        if len(waiting) and waiting.before(lambda: self._line(order)):
            self._tools.bus.check()
            return behind_others(order)
        try:
            return await self.attempt(order, gone)
        except NoRoom as full:
            if not waits(order):
                raise
            return full

    def _asker(self, order: Order, full: NoRoom, gone: Gone) -> Asker:
        return Asker(
            tenant=order.facts.tenant,
            line=self._line(order),
            wait_s=order.policy.wait_s if waits(order) else 0.0,
            attempt=lambda left: self.attempt(order, left),
            refusal=full,
            gone=gone,
        )

    def _line(self, order: Order) -> Line:
        """Those who ask for the same, in the same places, wait in one line."""
        tools, policy, place = self._tools, order.policy, order.at.place
        view = tools.fleet.view(tools.clock.now_s())
        asked = (order.language, order.model, round(place.lat / 10), round(place.lon / 10))
        bounds = (policy.max_added_rtt_ms, policy.max_added_cost_usd, policy.from_load)
        where = (policy.allowed, policy.overflow, policy.preferred)
        regions = reach(view, self._ask(order, "", 0), policy)
        return Line(regions, order.kind, (asked, where, bounds))

    async def attempt(self, order: Order, gone: Gone = never) -> Placed:
        """One decision, in its turn, and the seat that it leads to; nobody waits for another.

        Raises:
            NoRoom, NotAllowed: naming the decision.
            BusFailed: no node can be asked.
            Overloaded: its turn did not come.
            CallerGone: a seat that was got is given back.
        """
        tools = self._tools
        tools.bus.check()
        async with tools.gate.turn():
            until_s, rounds = tools.clock.now_s() + OVERALL_S, 0
            while True:
                if gone():
                    raise CallerGone("nobody waits for the answer any more")
                rounds += 1
                left_s = until_s - tools.clock.now_s()
                found = await self._round(order, left_s)
                if isinstance(found.step, Seated):
                    return self._seated(order, found, gone)
                assert isinstance(found.step, GivenUp)
                left_s = until_s - tools.clock.now_s()
                if left_s <= 0 or isinstance(found.step.error, NotAllowed):
                    raise found.step.error
                if found.decision.winner is not None and rounds < MOST_ROUNDS:
                    continue  # all who were asked said no, which the next decision knows
                if not tools.reserving.unsettled(found.decision):
                    raise found.step.error
                await tools.reserving.settled(left_s)

    async def _round(self, order: Order, within_s: float) -> _Round:
        """One decision, and what nodes said to it."""
        tools = self._tools
        decision = self._decide(order, tools.new_decision_id())
        tools.recorder.decided(decision)
        wanted = self._wanted(order, decision)
        attempts = await tools.reserving.seat(decision, wanted, within_s)
        session = wanted.session if isinstance(attempts.step, Seated) else None
        tools.decisions.made(decision, attempts.story, session)
        tools.recorder.tried(decision.ask.id, attempts.story, session)
        tools.publish(decision.ask.id)
        return _Round(decision, wanted, attempts.step)

    def _seated(self, order: Order, found: _Round, gone: Gone) -> Placed:
        assert isinstance(found.step, Seated)
        if gone():
            self._tools.reserving.release(found.step.candidate, found.wanted)
            raise CallerGone("nobody waits for the answer any more")
        return self._placed(order, found.decision, found.wanted, found.step)

    def nearest(self, order: Order, most: int) -> Sequence[NearestView]:
        """Where it would go, best first; nothing is held and nothing remembered."""
        decision = self._decide(order, self._tools.new_decision_id())
        if not decision.candidates:
            raise refusal(decision)
        return [
            NearestView(one.region, one.node, one.url, round(one.rtt_ms, 3))
            for one in decision.candidates[:most]
        ]

    def _decide(self, order: Order, decision_id: str) -> Decision:
        """By the policy and the rules of this moment: while somebody waits, they may change."""
        tools, facts, at_ms = self._tools, order.facts, wall_ms()
        policy = tools.policies().effective(order.policy.name, facts, at_ms)
        ask = self._ask(order, decision_id, at_ms)
        return decide(tools.fleet.view(tools.clock.now_s()), ask, policy)

    def _ask(self, order: Order, decision_id: str, at_ms: int) -> PlacementAsk:
        tools, facts = self._tools, order.facts
        ask = PlacementAsk(
            id=decision_id,
            at_ms=at_ms,
            kind=order.kind,
            language=order.language,
            model=order.model,
            place=coarse(order.at.place),
            draw=tools.draw.random(),
            place_source=order.at.source,
            tenant=facts.tenant,
            data=facts.data,
            countries=tuple(sorted(facts.countries)),
            ramp=tools.draw.random(),
            order=order.id,
            may_wait=order.may_wait,
        )
        return ask if order.continued is None else asked_again(ask, order.continued)

    def _wanted(self, order: Order, decision: Decision) -> Reserve:
        wanted = Reserve(
            reservation=random_id(),
            session=random_id(),
            kind=order.kind,
            language=order.language,
            model=order.model,
            policy=decision.policy.name,
            policy_version=decision.policy.version,
            tenant=order.facts.tenant,
            ttl_s=self._tools.ticket_ttl_s,
            data=decision.ask.data,
            countries=decision.ask.countries,
            home=decision.home or "",
        )
        return wanted if order.continued is None else wanted_again(wanted, order.continued)

    def _placed(self, order: Order, decision: Decision, wanted: Reserve, seat: Seated) -> Placed:
        won, home = seat.candidate, decision.home or ""
        self._remember(order, decision, wanted, seat)
        return Placed(
            session=wanted.session,
            node=won.node,
            region=won.region,
            url=won.url,
            ticket=self._ticket(order, decision, wanted, seat),
            expires_s=seat.answer.ttl_s or wanted.ttl_s,
            decision=decision.ask.id,
            policy=wanted.policy,
            policy_version=wanted.policy_version,
            home_region=home,
            overflow=won.region != home,
            reasons=decision.codes,
            rtt_ms=round(won.rtt_ms, 3),
        )

    def _ticket(self, order: Order, decision: Decision, wanted: Reserve, seat: Seated) -> str:
        now_s = wall_s()
        ticket = Ticket(
            session=wanted.session,
            reservation=wanted.reservation,
            node=seat.candidate.node,
            boot=seat.answer.boot,
            kind=wanted.kind,
            language=wanted.language,
            model=wanted.model,
            policy=wanted.policy,
            policy_version=wanted.policy_version,
            tenant=wanted.tenant,
            decision=decision.ask.id,
            iat=int(now_s),
            exp=int(now_s + wanted.ttl_s) + 1,
            relay=order.relayed_by is not None,
            data=wanted.data,
            resumes=wanted.resumes,
        )
        return sign_ticket(ticket, self._tools.key)

    def _remember(self, order: Order, decision: Decision, wanted: Reserve, seat: Seated) -> None:
        now_ms = decision.ask.at_ms
        if order.continued is not None:
            until_ms = now_ms + round(wanted.ttl_s * 1000)
            self._tools.going(going_to(order.continued, wanted, seat.candidate, until_ms, decision))
            return
        self._tools.table.placed(
            Row(
                session=wanted.session,
                state="reserved",
                node=seat.candidate.node,
                region=seat.candidate.region,
                kind=wanted.kind,
                language=wanted.language,
                tenant=wanted.tenant,
                policy=wanted.policy,
                decision=decision.ask.id,
                admitted_by="relay" if order.relayed_by else "ticket",
                since_ms=now_ms,
                reservation=wanted.reservation,
                until_ms=now_ms + round((wanted.ttl_s + _GRACE_S) * 1000),
            )
        )


_GRACE_S = 5.0
"""A note of the session's start may come so long after the seat's time was up."""


def waits(order: Order) -> bool:
    """Whether who asks waits where there is no seat."""
    return order.may_wait and order.policy.when_full != "refuse"


def behind_others(order: Order) -> NoRoom:
    """Of whoever would have passed those in line."""
    return NoRoom(
        f"others wait for a seat under policy {order.policy.name}, and none became free in time",
        field="policy",
        value=order.policy.name,
        remedy="try again later",
    )
