"""What may happen while a line waits, played through many times at once. Pure: draws are given.

Each run has hazards of its own, drawn from what is believed of them. Sessions end, whoever is next
takes the seat and his session begins; some leave before; others come, and pass where their tenant
is less behind. When each of those who wait now would be served is what comes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control_plane.waiting.hazards import Belief, Lives

F64 = NDArray[np.float64]

RUNS = 200
DRAWS = 20
"""Of hazards, each good for ten runs."""
MOST_SEATS = 256
"""Seats that are looked at one by one. Of more each stands for several."""
_NEW = 64
"""Lengths of new sessions that are drawn for each run, and then used again."""
_PATIENT = 1e12


@dataclass(frozen=True, slots=True)
class Seats:
    """Sessions that run where a line may be served."""

    ages_s: F64
    pool: NDArray[np.intp]
    """Of each session: which belief."""
    beliefs: Sequence[Belief]
    new: int
    """The belief about sessions that begin."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One of those who wait, or may come."""

    weight: int
    behind: float
    """In seats of a tenant of weight 1."""
    numbers: Sequence[int]
    """Of his waiters, the oldest first."""
    until_s: Sequence[float]
    """How long each of them waits at most, from now."""
    came: int = 0
    """Lately."""


@dataclass(frozen=True, slots=True)
class Others:
    """What those who wait do by themselves."""

    within_s: float
    """Tenants' arrivals were counted over so long."""
    left: float
    waited_s: float
    """So many left, of all who waited so long together."""


class _Ends:
    """When seats become free: shape (runs, seats)."""

    def __init__(self, seats: Seats, share: float, draw: np.random.Generator) -> None:
        lives = [Lives(one.drawn(draw, DRAWS)) for one in seats.beliefs]
        count = len(seats.ages_s)
        kept = min(count, MOST_SEATS)
        order = np.argsort(seats.ages_s)[
            ((np.arange(kept) + 0.5) * count / max(kept, 1)).astype(np.intp)
        ]
        self._stands_for = share * count / max(kept, 1)
        self._ages_s, pools = seats.ages_s[order], seats.pool[order]
        self.at_s = np.full((RUNS, max(kept, 1)), np.inf)
        chance = (
            draw.standard_exponential((RUNS, kept)) / self._stands_for
            if kept
            else np.empty((RUNS, 0))
        )
        for pool, one in enumerate(lives):
            mine = (pools == pool).nonzero()[0]
            for at in range(DRAWS if mine.size else 0):
                runs = slice(at, RUNS, DRAWS)
                self.at_s[runs, mine] = one.left_s(at, self._ages_s[mine], chance[runs][:, mine])
        fresh = draw.standard_exponential((RUNS, _NEW)) / self._stands_for
        self._new_s = np.empty((RUNS, _NEW))
        for at in range(DRAWS):
            runs = slice(at, RUNS, DRAWS)
            self._new_s[runs] = lives[seats.new].left_s(at, np.zeros(_NEW), fresh[runs])
        self._taken = 0
        self._runs = np.arange(RUNS)

    def next(self) -> tuple[F64, NDArray[np.intp]]:
        """When, and which seat, in each run."""
        which = self.at_s.argmin(axis=1)
        return self.at_s[self._runs, which], which

    def taken(self, which: NDArray[np.intp], yes: NDArray[np.bool_], at_s: F64) -> None:
        """In these runs the seat has a new session."""
        until_s = at_s + self._new_s[:, self._taken % _NEW]
        self._taken += 1
        now = self.at_s[self._runs, which]
        self.at_s[self._runs, which] = np.where(yes, until_s, now)


def play(
    seats: Seats, tenants: Sequence[Tenant], others: Others, share: float, draw: np.random.Generator
) -> dict[int, F64]:
    """When each of those who wait would be served, were he to wait for it: a time for each run.

    Args:
        seats: that may become free.
        tenants: all who wait for them, and who have come lately.
        others: how many come and leave.
        share: of seats that become free, those that go to the line.
        draw: makes it chance.
    """
    ends, many = _Ends(seats, share, draw), len(tenants)
    weights = np.array([one.weight for one in tenants], np.float64)
    until = np.tile(np.array([one.behind for one in tenants]), (RUNS, 1))
    now = np.zeros(RUNS)
    queues = [np.array(one.numbers, np.float64) for one in tenants]
    longest = max(len(queue) for queue in queues)
    numbers, leaves_s = np.full((many, longest + 1), np.inf), np.zeros((RUNS, many, longest + 1))
    leave_rate = draw.standard_gamma(others.left, RUNS) / others.waited_s
    for at, one in enumerate(tenants):
        size = len(one.numbers)
        numbers[at, :size] = queues[at]
        gone_s = draw.standard_exponential((RUNS, size)) / np.maximum(leave_rate, 1e-12)[:, None]
        leaves_s[:, at, :size] = np.minimum(gone_s, np.array(one.until_s))
    lengths = np.array([len(queue) for queue in queues])
    rate = draw.standard_gamma(
        np.array([one.came + 0.3 if one.came else 1e-9 for one in tenants]), (RUNS, many)
    ) / (others.within_s + 20.0)
    gap_s = 1.0 / np.maximum(rate, 1e-12)
    comes_s = draw.standard_exponential((RUNS, many)) * gap_s
    patience_s = 1.0 / np.maximum(leave_rate, 1e-12)
    at_turn = np.zeros((RUNS, many), np.intp)
    served: dict[int, F64] = {int(n): np.full(RUNS, np.inf) for queue in queues for n in queue}
    table = np.full((RUNS, many, longest + 1), np.inf)
    runs, which_tenants = np.arange(RUNS), np.arange(many)
    time_s, seat = ends.next()
    total = int(lengths.sum())
    for _ in range(2 * total + 64):
        waiting = at_turn < lengths
        if not waiting.any():
            break
        present = waiting | (comes_s <= time_s[:, None])
        began = np.where(present, np.maximum(until, now[:, None]), np.inf)
        least = began.min(axis=1, keepdims=True)
        head = np.where(
            waiting, numbers[which_tenants, np.minimum(at_turn, longest)], 1e9 + comes_s
        )
        turn = np.where(began <= least + 1e-9, head, np.inf).argmin(axis=1)
        place = at_turn[runs, turn]
        old = place < lengths[turn]
        slot = np.where(old, place, longest)
        table[runs, turn, slot] = np.where(old, time_s, table[runs, turn, slot])
        stays_until_s = np.where(
            old,
            leaves_s[runs, turn, slot],
            comes_s[runs, turn] + patience_s * draw.standard_exponential(RUNS),
        )
        any_there = present[runs, turn]
        stays = any_there & (stays_until_s >= time_s) & np.isfinite(time_s)
        start = np.maximum(until[runs, turn], now)
        now = np.where(stays, start, now)
        until[runs, turn] = np.where(stays, start + 1.0 / weights[turn], until[runs, turn])
        at_turn[runs, turn] = np.where(old, place + 1, place)
        comes_s[runs, turn] = np.where(
            old | ~any_there,
            comes_s[runs, turn],
            comes_s[runs, turn] + draw.standard_exponential(RUNS) * gap_s[runs, turn],
        )
        ends.taken(seat, stays, time_s)
        time_s, seat = ends.next()
    for at, one in enumerate(tenants):
        for place_of, number in enumerate(one.numbers):
            served[number] = table[:, at, place_of]
    return served
