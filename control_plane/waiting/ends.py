"""When seats become free, played through many times at once. Pure: draws are given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control_plane.waiting.hazards import Belief, Lives

F64 = NDArray[np.float64]
Which = NDArray[np.intp]

RUNS = 200
DRAWS = 20
"""Of hazards, each good for ten runs."""
MOST_SEATS = 256
"""Seats that are looked at one by one. Of more each stands for several."""
_NEW = 64
"""Lengths of new sessions that are drawn for each run, and then used again."""


@dataclass(frozen=True, slots=True)
class Seats:
    """Sessions that run where a line may be served."""

    ages_s: F64
    pool: Which
    """Of each session: which belief."""
    beliefs: Sequence[Belief]
    new: int
    """The belief about sessions that begin."""
    share: float = 1.0
    """Of seats that become free, those that go to the line."""


class Ends:
    """The next end of each seat's session, in each run."""

    def __init__(self, seats: Seats, draw: np.random.Generator) -> None:
        lives = [Lives(one.drawn(draw, DRAWS)) for one in seats.beliefs]
        count = len(seats.ages_s)
        kept = max(1, min(count, MOST_SEATS))
        each = ((np.arange(kept) + 0.5) * count / kept).astype(np.intp)
        order = np.argsort(seats.ages_s)[each]
        self._stands_for = seats.share * count / kept
        self._at_s = self._first(seats.ages_s[order], seats.pool[order], lives, draw)
        self._new_s = self._lengths(lives[seats.new], draw)
        self._taken = 0
        self._runs = np.arange(RUNS)

    def next(self) -> tuple[F64, Which]:
        """When, and which seat, in each run."""
        which = self._at_s.argmin(axis=1)
        return self._at_s[self._runs, which], which

    def taken(self, which: Which, yes: NDArray[np.bool_], at_s: F64) -> None:
        """In these runs the seat has a new session."""
        until_s = at_s + self._new_s[:, self._taken % _NEW]
        self._taken += 1
        before_s = self._at_s[self._runs, which]
        self._at_s[self._runs, which] = np.where(yes, until_s, before_s)

    def _first(
        self, ages_s: F64, pools: Which, lives: Sequence[Lives], draw: np.random.Generator
    ) -> F64:
        at_s = np.empty((RUNS, len(ages_s)))
        chance = draw.standard_exponential(at_s.shape) / self._stands_for
        for pool, one in enumerate(lives):
            mine = (pools == pool).nonzero()[0]
            for at in range(DRAWS if mine.size else 0):
                runs = slice(at, RUNS, DRAWS)
                at_s[runs, mine] = one.left_s(at, ages_s[mine], chance[runs, mine])
        return at_s

    def _lengths(self, lives: Lives, draw: np.random.Generator) -> F64:
        new_s = draw.standard_exponential((RUNS, _NEW)) / self._stands_for
        for at in range(DRAWS):
            runs = slice(at, RUNS, DRAWS)
            new_s[runs] = lives.left_s(at, np.zeros(_NEW), new_s[runs])
        return new_s
