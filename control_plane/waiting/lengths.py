"""How long sessions last: learnt from those that ended and those that still run. Pure.

By kind, and by tenant where enough of a tenant's were seen; a tenant whose were not is taken for
like the others. Everything counts twice: over thousands of sessions, and over the last dozens.
Where the two contradict each other, sessions are not what they were: only the last are believed.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from control_plane.waiting.hazards import BINS, Belief, Seen, belief, bin_of, spent_s

F64 = NDArray[np.float64]
Source = Literal["assumed", "kind", "tenant", "recent"]
"""What lengths go by: nothing was seen yet; all sessions of the kind; those of the tenant; or the
last ones alone, as they are other than those before."""

LONG, SHORT = 2000, 60
"""So many ended sessions count, in the long run and of late."""
ENOUGH = 20
"""Of a tenant, or of a kind, so that what was seen has the say."""
MOST_RUNNING = 100_000
MOST_BEGUN = 4096
"""Of the latest: how often each tenant's callers come."""
MOST_TENANTS = 256
OLD_S = 6 * 3600.0
"""Sessions that ended longer ago say nothing: at a start a month of them is read again."""
TOO_SHORT_S = 0.1
"""Texts over plain HTTP are noted as sessions of no length: they take no seat."""
_LOOK_EVERY = 32
"""Ended sessions between two looks at those that run, where nobody looks."""
_LOOK_S = 5.0
_LIKE_OTHERS = 10.0
"""Sessions that the kind counts for against a tenant's own."""
_CONTRADICTION = 3.5
"""Standard deviations between what ended of late and what should have. Chance does it once in
thousands of looks, and then intervals are wider for a while."""
_LEAST_EXPECTED = 6.0
_DOUBT = 0.8
"""In sessions that have changed: they may go on changing. A factor of e to this, either way."""


@dataclass(slots=True)
class Running:
    """A session that has begun."""

    kind: str
    tenant: str
    region: str
    began_s: float
    counted_s: float = 0.0
    """Of its age: what is in the tables already."""


@dataclass(slots=True)
class _Pool:
    long: Seen
    short: Seen

    @classmethod
    def empty(cls) -> "_Pool":
        return cls(Seen.nothing(), Seen.nothing())

    def add(self, spent: F64) -> None:
        self.long.spent_s += spent
        self.short.spent_s += spent

    def ended(self, at: int) -> None:
        for seen, most in ((self.long, LONG), (self.short, SHORT)):
            seen.fade(1.0 / most)
            seen.ends[at] += 1.0

    def changed(self) -> bool:
        """Whether the last sessions contradict those before."""
        rate = belief(self.long).mean
        expected, ended = rate * self.short.spent_s, self.short.ends
        order = np.cumsum(expected)
        for low, high in ((0.0, 1.0), (0.0, 0.5), (0.5, 1.0)):
            part = (order > low * order[-1]) & (order <= high * order[-1])
            want, got = float(expected[part].sum()), float(ended[part].sum())
            if max(want, got) >= _LEAST_EXPECTED and (
                abs(got - want) > _CONTRADICTION * np.sqrt(max(want, 1.0))
            ):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Known:
    """What is believed of some sessions' lengths, and why."""

    belief: Belief
    source: Source
    sessions: int
    """Ended ones behind it."""


class Lengths:
    """Sessions as notes tell of them. Moments are seconds of one clock, that of the notes."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}
        self._pools: dict[tuple[str, str | None], _Pool] = {}
        self._begun: deque[tuple[float, str, str]] = deque(maxlen=MOST_BEGUN)
        self._counted_s = float("-inf")
        self._ended = 0

    def __len__(self) -> int:
        return len(self._running)

    def began(self, session: str, kind: str, tenant: str, region: str, at_s: float) -> None:
        """A session was noted; the first note of it counts."""
        if session not in self._running and len(self._running) < MOST_RUNNING:
            self._running[session] = Running(kind, tenant, region, at_s)
            self._begun.append((at_s, tenant, region))

    def ended(self, session: str, at_s: float, now_s: float) -> None:
        """A session ended. One that is not known is passed over, and so is what is long past."""
        one = self._running.pop(session, None)
        if one is None or now_s - at_s > OLD_S:
            return
        length_s = max(0.0, at_s - one.began_s)
        if length_s < TOO_SHORT_S:
            return
        rest = spent_s(np.array([min(one.counted_s, length_s)]), np.array([length_s]))[0]
        for pool in self._pools_of(one):
            pool.add(rest)
            pool.ended(bin_of(length_s))
        self._ended += 1
        if self._ended % _LOOK_EVERY == 0 and at_s > self._counted_s + _LOOK_S:
            self.look(at_s)

    def gone(self, lives: Callable[[str], bool]) -> None:
        """Forgets sessions that ended without a word: they count for as long as they were seen."""
        for session in [name for name in self._running if not lives(name)]:
            del self._running[session]

    def look(self, now_s: float) -> None:
        """Counts what running sessions have shown until now."""
        if not self._running or now_s <= self._counted_s:
            return
        self._counted_s = now_s
        running = list(self._running.values())
        ages_s = np.array([max(one.counted_s, now_s - one.began_s) for one in running])
        before_s = np.array([one.counted_s for one in running])
        spent = spent_s(before_s, ages_s)
        for at, one in enumerate(running):
            one.counted_s = float(ages_s[at])
        for pool, members in self._by_pool(running):
            pool.add(spent[members].sum(axis=0))

    def running(self, regions: Collection[str]) -> list[Running]:
        """Those in some regions."""
        return [one for one in self._running.values() if one.region in regions]

    def begun(
        self, regions: Collection[str], from_s: float, until_s: float
    ) -> tuple[dict[str, int], float]:
        """Sessions by tenant that began in some regions between two moments.

        Returns:
            They, and for how much of that time it is known.
        """
        counts: dict[str, int] = {}
        for at_s, tenant, region in self._begun:
            if from_s <= at_s < until_s and region in regions:
                counts[tenant] = counts.get(tenant, 0) + 1
        first_s = self._begun[0][0] if self._begun else until_s
        return counts, max(0.0, until_s - max(from_s, first_s))

    def known(self, kind: str, tenant: str | None = None) -> Known:
        """How long sessions of a kind last, or a tenant's of them."""
        general = self._pools.get((kind, None))
        if general is None or general.long.count < 1.0:
            return Known(belief(Seen.nothing()), "assumed", 0)
        known = self._said(general, "kind", None)
        own = None if tenant is None else self._pools.get((kind, tenant))
        if own is None or own.long.count < ENOUGH:
            return known
        return self._said(own, "tenant", known)

    def _said(self, pool: _Pool, source: Source, general: Known | None) -> Known:
        if pool.changed():
            late = belief(pool.short)
            doubt = max(late.doubt, _DOUBT)
            return Known(Belief(late.ends, late.spent_s, doubt), "recent", round(pool.short.count))
        count = round(pool.long.count)
        if general is not None:
            return Known(belief(pool.long, general.belief, _LIKE_OTHERS), source, count)
        return Known(belief(pool.long), source if count >= ENOUGH else "assumed", count)

    def _pools_of(self, one: Running) -> Iterable[_Pool]:
        yield self._pool(one.kind, None)
        yield self._pool(one.kind, one.tenant)

    def _pool(self, kind: str, tenant: str | None) -> _Pool:
        pool = self._pools.pop((kind, tenant), None) or _Pool.empty()
        self._pools[kind, tenant] = pool
        if len(self._pools) > MOST_TENANTS:
            oldest = next((key for key in self._pools if key[1] is not None), None)
            if oldest is not None:
                del self._pools[oldest]
        return pool

    def _by_pool(self, running: list[Running]) -> Iterable[tuple[_Pool, list[int]]]:
        members: dict[tuple[str, str | None], list[int]] = {}
        for at, one in enumerate(running):
            members.setdefault((one.kind, None), []).append(at)
            members.setdefault((one.kind, one.tenant), []).append(at)
        for (kind, tenant), which in members.items():
            yield self._pool(kind, tenant), which


__all__ = ["BINS", "Known", "Lengths", "Running", "Source"]
