"""Asks nodes for seats as the attempts say; the fleet counts along."""

import asyncio
import logging
from collections import Counter
from contextlib import suppress

import msgspec

from control_plane.commands import Commands
from control_plane.fleet import Fleet
from control_plane.fleet.holds import Hold
from control_plane.placement import Candidate, Decision
from control_plane.placement.attempts import Ask, Attempts, Limits, verdict
from control_plane.placement.reasons import Reason
from control_plane.waiting import Changes
from shared.bus import Bus
from shared.clock import Clock
from shared.errors import BusFailed, VoiceError
from shared.exchange import Reserve, Reserved
from shared.subjects import reserve
from shared.tasks import Tasks

AT_ONCE = 16
"""Seats that one node is asked for at one time; more wait their turn here. A node answers so many
together, and one that has hundreds to answer is late with all of them."""
MOST_NODES = 20_000
_log = logging.getLogger(__name__)

MOST_RELEASES = 256
"""Running at one time. A seat that is not released is free again when its time is up."""


class Reserving:
    """Carries out: a decision's candidates are asked in its order.

    Args:
        tasks: own what goes on after a caller has his answer.
    """

    def __init__(self, bus: Bus, clock: Clock, fleet: Fleet, tasks: Tasks) -> None:
        self._bus, self._clock, self._fleet, self._tasks = bus, clock, fleet, tasks
        self._commands = Commands(bus)
        self._releasing = 0
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._answered_s: dict[str, float] = {}
        self._asking: Counter[str] = Counter()
        """Seats that nodes are asked for now."""
        self._settled = Changes()
        self.answers: Counter[str] = Counter()
        """Seats asked for: granted, refused, silent."""

    async def seat(self, decision: Decision, wanted: Reserve, within_s: float) -> Attempts:
        """The attempts, over: their step is `Seated` or `GivenUp`."""
        attempts = Attempts(decision, self._clock.now_s(), Limits(overall_s=within_s))
        while isinstance(attempts.step, Ask):
            answer = await self._ask(attempts.step, wanted)
            attempts.answered(answer, self._clock.now_s())
        for candidate in attempts.unsure:
            self.release(candidate, wanted)
        return attempts

    async def _ask(self, ask: Ask, wanted: Reserve) -> Reserved | None:
        node = ask.candidate.node
        hold = self._fleet.held_back(node, wanted.kind, self._clock.now_s())
        self._asking[node] += 1
        try:
            async with self._turn(node):
                asked_s = self._clock.now_s()
                answer = await self._answer(ask, wanted)
        finally:
            self._asking[node] -= 1
            if not self._asking[node]:
                del self._asking[node]
        said = verdict(ask.candidate, answer)
        self.answers[said] += 1
        if said != "silent":
            self._answered_s[node] = self._clock.now_s()
        if said != "granted" or not self._asking:
            self._settled.changed()
        if hold is not None:
            alive = self._answered_s.get(node, 0.0) > asked_s
            self._tell(hold, said, answer, alive=alive)
        return answer

    def unsettled(self, decision: Decision) -> bool:
        """Whether it says no because of seats that are asked for, and perhaps not got."""
        names, full = decision.roster.names, (decision.reasons == Reason.FULL).nonzero()[0]
        return bool(self._asking) and any(names[at] in self._asking for at in full)

    async def settled(self, within_s: float) -> None:
        """Returns once a seat that was asked for was not got, or none is asked for; or in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._settled.since(self._settled.count)

    def _turn(self, node: str) -> asyncio.Semaphore:
        if node not in self._turns and len(self._turns) >= MOST_NODES:  # of nodes long gone
            self._turns = {name: one for name, one in self._turns.items() if one.locked()}
            self._answered_s.clear()
        return self._turns.setdefault(node, asyncio.Semaphore(AT_ONCE))

    def _tell(self, hold: Hold, said: str, answer: Reserved | None, *, alive: bool) -> None:
        """A node that answered others meanwhile is busy, and not silent."""
        if said == "silent" and alive:
            self._fleet.released(hold)
        elif said == "silent" or answer is None:
            self._fleet.silent(hold)
        elif said == "granted":
            self._fleet.granted(hold, answer.held)
        else:
            self._fleet.refused(hold, answer.code)

    async def _answer(self, ask: Ask, wanted: Reserve) -> Reserved | None:
        """None where there is no answer in time, or none that can be understood."""
        candidate = ask.candidate
        subject = reserve(candidate.region, candidate.node)
        try:
            data = await self._bus.request(subject, msgspec.json.encode(wanted), ask.limit_s)
            return msgspec.json.decode(data, type=Reserved)
        except BusFailed as error:
            _log.info("%s was asked for a seat: %s", candidate.node, error.message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.warning("%s answered nonsense: %s", candidate.node, error)
        return None

    def release(self, candidate: Candidate, wanted: Reserve) -> None:
        """Tells a node that holds a seat, or may hold one unheard, that nobody will come."""
        self.give_back(candidate.region, candidate.node, wanted.session, wanted.reservation)

    def give_back(self, region: str, node: str, session: str, reservation: str) -> None:
        """Likewise, of a seat that is not one of an order's that is decided now."""
        if self._releasing < MOST_RELEASES:
            self._releasing += 1
            released = self._released(region, node, session, reservation)
            _ = self._tasks.begin(released, "a seat released")

    async def _released(self, region: str, node: str, session: str, reservation: str) -> None:
        try:
            await self._commands.release(region, node, session, reservation)
        except VoiceError:
            pass  # its time will be up
        finally:
            self._releasing -= 1
