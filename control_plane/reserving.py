"""Asks nodes for seats as the attempts say; the fleet counts along."""

import logging
from collections import Counter

import msgspec

from control_plane.commands import Commands
from control_plane.fleet import Fleet
from control_plane.fleet.holds import Hold
from control_plane.placement import Candidate, Decision
from control_plane.placement.attempts import Ask, Attempts, verdict
from shared.bus import Bus
from shared.clock import Clock
from shared.errors import BusFailed, VoiceError
from shared.exchange import Reserve, Reserved
from shared.subjects import reserve
from shared.tasks import Tasks

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
        self.answers: Counter[str] = Counter()
        """Seats asked for: granted, refused, silent."""

    async def seat(self, decision: Decision, wanted: Reserve) -> Attempts:
        """The attempts, over: their step is `Seated` or `GivenUp`."""
        attempts = Attempts(decision, self._clock.now_s())
        while isinstance(attempts.step, Ask):
            answer = await self._ask(attempts.step, wanted)
            attempts.answered(answer, self._clock.now_s())
        for candidate in attempts.unsure:
            self._release(candidate, wanted)
        return attempts

    async def _ask(self, ask: Ask, wanted: Reserve) -> Reserved | None:
        node = ask.candidate.node
        hold = self._fleet.held_back(node, wanted.kind, self._clock.now_s())
        answer = await self._answer(ask, wanted)
        said = verdict(ask.candidate, answer)
        self.answers[said] += 1
        if hold is not None:
            self._tell(hold, said, answer)
        return answer

    def _tell(self, hold: Hold, said: str, answer: Reserved | None) -> None:
        if said == "silent" or answer is None:
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

    def _release(self, candidate: Candidate, wanted: Reserve) -> None:
        """Tells a node that may have heard us, and could not say so, that nobody will come."""
        if self._releasing < MOST_RELEASES:
            self._releasing += 1
            _ = self._tasks.begin(self._released(candidate, wanted), "a seat released")

    async def _released(self, candidate: Candidate, wanted: Reserve) -> None:
        try:
            await self._commands.release(
                candidate.region, candidate.node, wanted.session, wanted.reservation
            )
        except VoiceError:
            pass  # its time will be up
        finally:
            self._releasing -= 1
