"""Asks nodes for seats, one candidate after the other, within limits; the fleet counts along."""

import logging
from collections import Counter
from dataclasses import dataclass

import msgspec

from control_plane.fleet import Fleet
from control_plane.placement import Candidate, Decision
from shared.bus import Bus
from shared.clock import Clock
from shared.errors import BusFailed
from shared.exchange import Reserve, Reserved
from shared.subjects import reserve

_log = logging.getLogger(__name__)

ANSWER_S = 0.5
"""For one node. A live one answers within a round trip and some milliseconds."""
OVERALL_S = 2.0
MOST_ATTEMPTS = 4
SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat that a node holds."""

    candidate: Candidate
    reserved: Reserved


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of asking."""

    seat: Seat | None
    attempts: tuple[str, ...]
    """`node: code`, in order."""


class Reserving:
    """Carries out: a decision's candidates are asked in its order."""

    def __init__(self, bus: Bus, clock: Clock, fleet: Fleet) -> None:
        self._bus, self._clock, self._fleet = bus, clock, fleet
        self.answers: Counter[str] = Counter()
        """What nodes answered, by code."""

    async def seat(self, decision: Decision, wanted: Reserve) -> Tried:
        """The first seat that is granted, or none."""
        attempts: list[str] = []
        deadline_s = self._clock.now_s() + OVERALL_S
        for candidate in decision.candidates[:MOST_ATTEMPTS]:
            left_s = deadline_s - self._clock.now_s()
            if left_s <= 0:
                break
            answer = await self._ask(candidate, wanted, min(ANSWER_S, left_s))
            code = SILENT if answer is None else answer.code or "granted"
            self.answers[code] += 1
            attempts.append(f"{candidate.node}: {code}")
            if answer is not None and answer.granted:
                return Tried(Seat(candidate, answer), tuple(attempts))
        return Tried(None, tuple(attempts))

    async def _ask(self, candidate: Candidate, wanted: Reserve, limit_s: float) -> Reserved | None:
        hold = self._fleet.held_back(candidate.node, wanted.kind, self._clock.now_s())
        answer = await self._answer(candidate, wanted, limit_s)
        if hold is not None:
            if answer is None:
                self._fleet.silent(hold)
            elif answer.granted:
                self._fleet.granted(hold, answer.held)
            else:
                self._fleet.refused(hold, answer.code)
        return answer

    async def _answer(
        self, candidate: Candidate, wanted: Reserve, limit_s: float
    ) -> Reserved | None:
        """None where there is no answer in time, or none that can be understood."""
        subject = reserve(candidate.region, candidate.node)
        try:
            data = await self._bus.request(subject, msgspec.json.encode(wanted), limit_s)
            answer = msgspec.json.decode(data, type=Reserved)
        except BusFailed as error:
            _log.info("%s was asked for a seat: %s", candidate.node, error.message)
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.warning("%s answered nonsense: %s", candidate.node, error)
            return None
        return answer if answer.node == candidate.node else None
