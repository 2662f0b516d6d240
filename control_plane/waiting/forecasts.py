"""Who waits learns how long it may take: worked out beside the loop, as often as it can bear."""

import asyncio

import msgspec
import numpy as np

from control_plane.waiting.estimate import Look, Outlook, outlook
from control_plane.waiting.hall import Turn, Waiting
from control_plane.waiting.honesty import CONFIDENCE
from control_plane.waiting.lengths import Lengths
from control_plane.waiting.looking import Held, look_at
from control_plane.waiting.queue import Line
from heliovox.protocol.control import Estimate
from shared.clock import Clock, wall_s

FRESH_S = 2.0
"""An outlook is good for so long; what has happened meanwhile moves a caller along in it."""
OLD_S = 15.0
"""None is better than one that is older."""
REST = 4.0
"""Times what the last one took, until the next: a fifth of a core at most."""
FIRST_S = 0.5
"""For the first one of a line. Longer keeps a caller without an answer; it comes with the next."""


class Forecasts:
    """Estimates for those in line.

    Args:
        hall: where they wait.
        lengths: of sessions, by the wall clock.
        draw: makes chance.
    """

    def __init__(
        self, hall: Waiting, lengths: Lengths, clock: Clock, draw: np.random.Generator
    ) -> None:
        self._hall, self._lengths, self._clock, self._draw = hall, lengths, clock, draw
        self._outlooks: dict[Line, Outlook] = {}
        self._one = asyncio.Lock()
        self._not_before_s = float("-inf")
        self.made = 0

    async def of(self, turn: Turn, within_s: float = FIRST_S) -> Estimate | None:
        """For somebody who waits; None where nobody can say, or not in time."""
        line = turn.waiter.line
        seen = self._outlooks.get(line)
        now_s = self._clock.now_s()
        if seen is None or now_s - seen.at_s > FRESH_S:
            try:
                async with asyncio.timeout(within_s):
                    await self._renew(line)
            except TimeoutError:
                pass
        return self._said(turn)

    def _said(self, turn: Turn) -> Estimate | None:
        seen, now_s = self._outlooks.get(turn.waiter.line), self._clock.now_s()
        if seen is None or now_s - seen.at_s > OLD_S or turn.number not in self._hall.queue:
            return None
        position, honesty = self._hall.queue.position(turn.number), self._hall.honesty
        said = seen.estimate(position, now_s, honesty.spread, CONFIDENCE)
        if said is None:
            return None
        chance = seen.chance(position, turn.until_s - now_s)
        basis = msgspec.structs.replace(said.based_on, covered=honesty.covered)
        if turn.told is None:
            turn.told = (now_s, said.low_s, said.high_s)
        return msgspec.structs.replace(said, chance=round(chance, 2), based_on=basis)

    async def _renew(self, line: Line) -> None:
        """Unless another was there first, or it is too early for one more."""
        async with self._one:
            now_s = self._clock.now_s()
            seen = self._outlooks.get(line)
            if seen is not None and now_s - seen.at_s <= FRESH_S:
                return
            if seen is not None and now_s < self._not_before_s:
                return
            look = self._look(line, now_s)
            self._outlooks[line] = await asyncio.to_thread(outlook, look, now_s, self._draw)
            self.made += 1
            took_s = self._clock.now_s() - now_s
            self._not_before_s = now_s + took_s * (1.0 + REST)
            self._forget()

    def _look(self, line: Line, now_s: float) -> Look:
        noted_s = wall_s()
        self._lengths.look(noted_s)
        hall = self._hall
        held = Held(hall.queue, self._lengths, hall.rates, self._left_s, self._waited_s)
        return look_at(held, line, now_s, noted_s)

    def _left_s(self, number: int) -> float:
        turn = self._hall.turn(number)
        return 0.0 if turn is None else max(0.0, turn.until_s - self._clock.now_s())

    def _waited_s(self, number: int) -> float:
        turn = self._hall.turn(number)
        return 0.0 if turn is None else self._clock.now_s() - turn.came_s

    def _forget(self) -> None:
        lines = set(self._hall.queue.lines())
        self._outlooks = {line: one for line, one in self._outlooks.items() if line in lines}
