"""Those who wait, leave and come, played through many times at once. Pure: draws are given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control_plane.waiting.ends import DRAWS, RUNS
from control_plane.waiting.hazards import Belief, Lives

F64 = NDArray[np.float64]
Which = NDArray[np.intp]
Yes = NDArray[np.bool_]

_SOME_S = 20.0
"""What arrivals were counted over is taken to be so much longer: the first ones came at once."""
_LATER = 1e9
"""Who comes is younger than all who are there."""
_SAME = 1e-9
_NEW = 64
"""How long newcomers stay: so many for each run, and then the same again."""


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
    waited_s: Sequence[float]
    """How long each of them has waited."""
    came: int = 0
    """Lately."""


@dataclass(frozen=True, slots=True)
class Others:
    """What those who wait do by themselves."""

    within_s: float
    """Tenants' arrivals were counted over so long."""
    leaving: Belief
    """How likely somebody is to go, by how long he has waited."""


@dataclass(frozen=True, slots=True)
class Next:
    """Whose turn it is, in each run."""

    tenant: Which
    place: Which
    """Among those who wait now."""
    known: Yes
    """Whether he is one of these."""
    there: Yes
    """Whether anybody is."""


class LineUp:
    """Everybody, in each run."""

    def __init__(
        self, tenants: Sequence[Tenant], others: Others, draw: np.random.Generator
    ) -> None:
        self._draw, self._runs, many = draw, np.arange(RUNS), len(tenants)
        self.lengths = np.array([len(one.numbers) for one in tenants])
        self.longest = int(self.lengths.max())
        self._weights = np.array([one.weight for one in tenants], np.float64)
        self._until = np.tile(np.array([one.behind for one in tenants]), (RUNS, 1))
        self._now = np.zeros(RUNS)
        self._at_turn = np.zeros((RUNS, many), np.intp)
        self._patience = Lives(others.leaving.drawn(draw, DRAWS))
        self._patience_s = self._stay(np.zeros(_NEW))
        self._looks = 0
        self._numbers = np.full((many, self.longest + 1), np.inf)
        self._leaves_s = np.zeros((RUNS, many, self.longest + 1))
        for at, one in enumerate(tenants):
            self._put(at, one)
        seen = np.array([one.came + 0.3 if one.came else 1e-9 for one in tenants])
        rates = draw.standard_gamma(seen, (RUNS, many)) / (others.within_s + _SOME_S)
        self._gap_s = 1.0 / np.maximum(rates, 1e-12)
        self._comes_s = self._chance((RUNS, many)) * self._gap_s

    @property
    def over(self) -> bool:
        """Whether all who wait now had their turn, in every run."""
        return not (self._at_turn < self.lengths).any()

    def turn(self, at_s: F64) -> Next:
        """Who is least behind, and of those the oldest."""
        known = self._at_turn < self.lengths
        present = known | (self._comes_s <= at_s[:, None])
        began = np.where(present, np.maximum(self._until, self._now[:, None]), np.inf)
        least = began.min(axis=1, keepdims=True)
        age = self._numbers[np.arange(len(self.lengths)), self._at_turn]
        age = np.where(known, age, _LATER + self._comes_s)
        tenant = np.where(began <= least + _SAME, age, np.inf).argmin(axis=1)
        runs = self._runs
        return Next(tenant, self._at_turn[runs, tenant], known[runs, tenant], present[runs, tenant])

    def serve(self, who: Next, at_s: F64) -> Yes:
        """He takes the seat, in those runs in which he has not left before."""
        runs, tenant = self._runs, who.tenant
        slot = np.where(who.known, who.place, self.longest)
        patience_s = self._patience_s[:, self._looks % _NEW]
        self._looks += 1
        until_s = np.where(
            who.known,
            self._leaves_s[runs, tenant, slot],
            self._comes_s[runs, tenant] + patience_s,
        )
        stays: Yes = who.there & (until_s >= at_s) & np.isfinite(at_s)
        self._charge(tenant, stays)
        self._at_turn[runs, tenant] += who.known
        came = who.there & ~who.known
        gap_s = self._chance(RUNS) * self._gap_s[runs, tenant]
        self._comes_s[runs, tenant] += np.where(came, gap_s, 0.0)
        return stays

    def _charge(self, tenant: Which, stays: Yes) -> None:
        began = np.maximum(self._until[self._runs, tenant], self._now)
        behind = began + 1.0 / self._weights[tenant]
        self._now = np.where(stays, began, self._now)
        before = self._until[self._runs, tenant]
        self._until[self._runs, tenant] = np.where(stays, behind, before)

    def _put(self, at: int, one: Tenant) -> None:
        size = len(one.numbers)
        self._numbers[at, :size] = one.numbers
        gone_s = self._stay(np.array(one.waited_s, np.float64))
        self._leaves_s[:, at, :size] = np.minimum(gone_s, np.array(one.until_s))

    def _stay(self, waited_s: F64) -> F64:
        """How much longer those stay who have waited so long: shape (runs, they)."""
        left_s = self._chance((RUNS, len(waited_s)))
        for at in range(DRAWS):
            runs = slice(at, RUNS, DRAWS)
            left_s[runs] = self._patience.left_s(at, waited_s, left_s[runs])
        return left_s

    def _chance(self, shape: int | tuple[int, int]) -> F64:
        return self._draw.standard_exponential(shape)
