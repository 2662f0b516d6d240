"""A small world in virtual time where people wait: what they are told, and what becomes of it."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from control_plane.waiting.estimate import outlook
from control_plane.waiting.honesty import CONFIDENCE, Honesty
from control_plane.waiting.lengths import Lengths
from control_plane.waiting.looking import Held, look_at
from control_plane.waiting.queue import FairQueue, Line
from control_plane.waiting.rates import Rates

LINE = Line(frozenset({"here"}), "recognition")


def lognormal(mean_s: float, sigma: float = 1.2) -> Callable[[random.Random], float]:
    """Heavy-tailed: of calls, and of most that people do."""
    return lambda draw: mean_s * draw.lognormvariate(-sigma * sigma / 2, sigma)


def pareto(mean_s: float, alpha: float = 1.5) -> Callable[[random.Random], float]:
    """Heavier still: the variance is infinite."""
    return lambda draw: mean_s * (alpha - 1) / alpha * draw.paretovariate(alpha)


def two_kinds(short_s: float, long_s: float) -> Callable[[random.Random], float]:
    """Most are short, some are very long."""
    return lambda draw: draw.expovariate(1 / (short_s if draw.random() < 0.8 else long_s))


@dataclass(frozen=True)
class Scenario:
    """What happens."""

    seats: int = 20
    length: Callable[[random.Random], float] = field(default_factory=lambda: lognormal(180.0))
    load: float = 1.1
    """Arrivals for each session that can end."""
    mean_s: float = 180.0
    tenants: tuple[tuple[str, int, float], ...] = (("a", 1, 0.5), ("b", 2, 0.3), ("c", 5, 0.2))
    """Name, weight, share of arrivals."""
    patience_s: float = 300.0
    stay: float = 0.2
    """The share of callers who never leave: of them it is seen what becomes of everybody."""
    floods: tuple[tuple[float, str, int], ...] = ()
    """At a moment, so many of a tenant at once."""
    shift_s: float = float("inf")
    shifted: float = 1.0
    """From that moment on sessions last so many times as long."""
    begin_s: float = 3000.0
    """Nobody is asked before."""
    end_s: float = 20_000.0
    known: bool = True
    """Whether what happens before `begin_s` is learnt from."""


@dataclass
class Told:
    """One wait: what was said at its beginning, and how it went."""

    at_s: float
    position: int
    low_s: float
    high_s: float
    source: str
    naive_s: tuple[float, float]
    waited_s: float

    @property
    def inside(self) -> bool:
        return self.low_s <= self.waited_s <= self.high_s

    @property
    def naive_inside(self) -> bool:
        return self.naive_s[0] <= self.waited_s <= self.naive_s[1]


@dataclass
class Person:
    tenant: str
    number: int
    came_s: float
    stays: bool
    told: Told | None = None
    first: tuple[float, float] | None = None


class World:
    """Plays a scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.draw = scenario, random.Random(seed)
        self.chance = np.random.default_rng(seed)
        self.lengths, self.rates, self.honesty = Lengths(), Rates(), Honesty()
        weights = {name: weight for name, weight, _ in scenario.tenants}
        self.queue = FairQueue(lambda tenant: weights.get(tenant, 1))
        self.people: dict[int, Person] = {}
        self.free = scenario.seats
        self.told: list[Told] = []
        self.served = 0
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._sessions = itertools.count()

    def run(self) -> list[Told]:
        scenario = self.scenario
        self._at(self._gap_s(), self._come)
        for at_s, tenant, count in scenario.floods:
            self._at(
                at_s, lambda now_s, t=tenant, n=count: [self._arrive(t, now_s) for _ in range(n)]
            )  # type: ignore[misc]
        while self._events:
            at_s, _, event = heapq.heappop(self._events)
            if at_s > scenario.end_s:
                break
            event(at_s)
        return self.told

    def _at(self, at_s: float, event: Callable[[float], object]) -> None:
        heapq.heappush(self._events, (at_s, next(self._numbers), event))  # type: ignore[arg-type]

    def _gap_s(self) -> float:
        scenario = self.scenario
        return self.draw.expovariate(scenario.load * scenario.seats / scenario.mean_s)

    def _come(self, now_s: float) -> None:
        names = [name for name, _, _ in self.scenario.tenants]
        shares = [share for _, _, share in self.scenario.tenants]
        self._arrive(self.draw.choices(names, shares)[0], now_s)
        self._at(now_s + self._gap_s(), self._come)

    def _arrive(self, tenant: str, now_s: float) -> None:
        if self.free and not len(self.queue):
            self._sit(tenant, now_s)
            return
        waiter = self.queue.join(tenant, LINE)
        self.rates.came(now_s, tenant, LINE)
        stays = self.draw.random() < self.scenario.stay
        person = Person(tenant, waiter.number, now_s, stays)
        self.people[waiter.number] = person
        if now_s >= self.scenario.begin_s:
            self._tell(person, now_s)
        if not stays:
            patience_s = self.draw.expovariate(1 / self.scenario.patience_s)
            self._at(now_s + patience_s, lambda at_s: self._leave(person, at_s))

    def _tell(self, person: Person, now_s: float) -> None:
        if not person.stays and self.draw.random() < 0.9:  # to save time
            return
        self.lengths.look(now_s)
        held = Held(
            self.queue,
            self.lengths,
            self.rates,
            lambda _: float("inf"),
            lambda number: now_s - self.people[number].came_s,
        )
        look = look_at(held, LINE, now_s, now_s)
        seen = outlook(look, now_s, self.chance)
        position = self.queue.position(person.number)
        said = seen.estimate(position, now_s, self.honesty.spread, CONFIDENCE)
        if said is None:
            return
        person.first = (said.low_s - 0.2, said.high_s - 0.2)
        person.told = Told(
            now_s,
            position,
            *person.first,
            said.based_on.source,
            self._naive(position),
            float("nan"),
        )

    def _naive(self, position: int) -> tuple[float, float]:
        """Everybody lasts the mean, and ends by chance: the place in line over the pace."""
        pace_s = self.scenario.mean_s / self.scenario.seats
        low, high = np.quantile(self.chance.gamma(position, pace_s, 400), (0.1, 0.9))
        return float(low), float(high)

    def _sit(self, tenant: str, now_s: float) -> None:
        self.free -= 1
        session = f"s{next(self._sessions)}"
        length_s = self.scenario.length(self.draw)
        if now_s >= self.scenario.shift_s:
            length_s *= self.scenario.shifted
        if self.scenario.known or now_s >= self.scenario.begin_s:
            self.lengths.began(session, "recognition", tenant, "here", now_s)
        else:
            self.lengths.began(session, "recognition", tenant, "here", now_s)
        self._at(now_s + length_s, lambda at_s: self._end(session, at_s))

    def _end(self, session: str, now_s: float) -> None:
        self.free += 1
        self.lengths.ended(session, now_s, now_s)
        if self.scenario.known is False and now_s < self.scenario.begin_s:
            self.lengths._pools.clear()
        heads = self.queue.heads()
        if heads:
            self._serve(heads[0].number, now_s)

    def _serve(self, number: int, now_s: float) -> None:
        person = self.people.pop(number)
        self.queue.serve(number, "here")
        self._over(person, now_s, left=False)
        self.served += 1
        if person.first is not None:
            self.honesty.came(*person.first, now_s - person.came_s)
        if person.told is not None and person.stays:
            self.told.append(replace(person.told, waited_s=now_s - person.came_s))
        self._sit(person.tenant, now_s)

    def _leave(self, person: Person, now_s: float) -> None:
        if person.number in self.people:
            del self.people[person.number]
            self.queue.leave(person.number)
            self._over(person, now_s, left=True)
            if person.first is not None:
                self.honesty.left(person.first[1], now_s - person.came_s)

    def _over(self, person: Person, now_s: float, *, left: bool) -> None:
        self.rates.went(now_s - person.came_s, left=left)
        if not len(self.queue):
            self.rates.idle()


SCENARIOS = {
    "steady": Scenario(),
    "heavy tail": Scenario(length=pareto(180.0)),
    "short and long": Scenario(length=two_kinds(60.0, 660.0)),
    "three seats": Scenario(seats=3, end_s=60_000.0),
    "two hundred seats": Scenario(seats=200, end_s=4_000.0),
    "a flood": Scenario(
        load=0.85, floods=tuple((3_500.0 + 1_500 * at, "a", 60) for at in range(10)), end_s=20_000.0
    ),
    "twice the load": Scenario(load=2.0, patience_s=120.0),
    "nothing known": Scenario(begin_s=0.0, end_s=1_200.0, seats=10, load=1.5),
    "thrice as long": Scenario(shift_s=8_000.0, shifted=3.0, end_s=14_000.0, begin_s=8_000.0),
    "a third as long": Scenario(
        shift_s=8_000.0, shifted=0.33, load=3.0, patience_s=200.0, begin_s=8_000.0, end_s=11_000.0
    ),
}


def coverage(told: Sequence[Told]) -> float:
    return sum(one.inside for one in told) / len(told)


def width_s(told: Sequence[Told]) -> float:
    """The median."""
    widths = sorted(one.high_s - one.low_s for one in told)
    return widths[len(widths) // 2]
