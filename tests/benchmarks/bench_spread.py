"""How many refusals a burst meets: the real fleet and the real decision, a clock that is made up.

Callers come within a moment. Each control plane has a view of its own; a seat is asked for over a
link there and back, a report comes over it too, 50 ms after the node's last at the earliest. Nodes
count their own seats. Who is refused is decided again, three times at most.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from control_plane.fleet import Fleet
from control_plane.fleet.holds import Hold
from control_plane.placement import Candidate, Decision, decide
from control_plane.placing import MOST_ROUNDS
from shared.capacity import CapacityReport
from shared.errors import NodeFull
from tests.benchmarks.figures import Figure
from tests.support.fleets import ask, fleet, policy, report

SEATS = 10
FLEETS = ((20, 6), (60, 1))
"""Nodes, and free seats of each."""
LOADS = (0.5, 0.9)
"""Callers for each free seat. With more than one every seat is asked for, however they spread."""
LINK_S, REPORT_S, ARRIVE_S = 0.04, 0.05, 0.1
ATTEMPTS = 4
AS_GOOD_MS = 5.0

Order = Callable[[Decision, random.Random], Sequence[Candidate]]


def two_choices(decision: Decision, _: random.Random) -> Sequence[Candidate]:
    """As it is decided: the better of two drawn of those that are as good, then by cost."""
    return decision.candidates


def best_only(decision: Decision, _: random.Random) -> Sequence[Candidate]:
    """The cheapest first, always."""
    return sorted(decision.candidates, key=lambda one: (one.class_, one.cost_ms, one.node))


def at_random(decision: Decision, draw: random.Random) -> Sequence[Candidate]:
    """Any of those that are as good, whatever they carry."""
    ranked = list(best_only(decision, draw))
    bound_ms = ranked[0].cost_ms + AS_GOOD_MS
    good = [one for one in ranked if one.cost_ms <= bound_ms]
    draw.shuffle(good)
    return [*good, *(one for one in ranked if one not in good)]


@dataclass
class Node:
    """Its own seats, and when it says so."""

    name: str
    held: int
    seq: int = 1
    due: bool = False


@dataclass
class Told:
    """What became of a burst."""

    asked: int = 0
    seated: int = 0
    refused: int = 0
    """Though there was a seat for everybody."""


@dataclass
class Burst:
    """One burst, from its first caller to its last answer."""

    planes: int
    nodes: int
    free: int
    load: float
    order: Order
    seed: int
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)
        self._nodes = {
            name: Node(name, SEATS - self.free)
            for name in (f"n{at:02}" for at in range(self.nodes))
        }
        self._fleets = [fleet(self._report(node) for node in self._nodes.values())
                        for _ in range(self.planes)]  # fmt: skip
        self._policy = policy("eu-only")
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()

    def run(self) -> Told:
        """All of it."""
        for number in range(round(self.load * self.nodes * self.free)):
            at_s = 10.0 + self._draw.uniform(0, ARRIVE_S)
            self._at(at_s, lambda now_s, number=number: self._decide(number, 1, now_s))  # type: ignore[misc]
        while self._events:
            at_s, _, event = heapq.heappop(self._events)
            event(at_s)
        return self.told

    def _at(self, at_s: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (at_s, next(self._numbers), event))

    def _fleet(self, caller: int) -> Fleet:
        return self._fleets[caller % self.planes]

    def _decide(self, caller: int, rounds: int, now_s: float) -> None:
        view = self._fleet(caller).view(now_s)
        decision = decide(view, ask(draw=self._draw.random()), self._policy)
        if decision.winner is None:
            self.told.refused += 1
            return
        self._ask(caller, rounds, list(self.order(decision, self._draw))[:ATTEMPTS], now_s)

    def _ask(self, caller: int, rounds: int, left: list[Candidate], now_s: float) -> None:
        if not left and rounds < MOST_ROUNDS:
            self._decide(caller, rounds + 1, now_s)
            return
        if not left:
            self.told.refused += 1
            return
        node = self._nodes[left.pop(0).node]
        hold = self._fleet(caller).held_back(node.name, "recognition", now_s)
        assert hold is not None
        self.told.asked += 1
        self._at(now_s + LINK_S, lambda at_s: self._there(caller, rounds, left, node, hold, at_s))

    def _there(
        self, caller: int, rounds: int, left: list[Candidate], node: Node, hold: Hold, now_s: float
    ) -> None:
        """At the node."""
        granted = node.held < SEATS
        if granted:
            node.held += 1
            self._changed(node, now_s)
        held, plane = node.held, self._fleet(caller)

        def back(at_s: float) -> None:
            if granted:
                plane.granted(hold, held)
                self.told.seated += 1
            else:
                plane.refused(hold, NodeFull.code)
                self._ask(caller, rounds, left, at_s)

        self._at(now_s + LINK_S, back)

    def _changed(self, node: Node, now_s: float) -> None:
        if not node.due:
            node.due = True
            self._at(now_s + REPORT_S, lambda at_s: self._says(node, at_s))

    def _says(self, node: Node, now_s: float) -> None:
        node.due = False
        node.seq += 1
        said = self._report(node)
        for plane in self._fleets:
            self._at(now_s + LINK_S, lambda at_s, plane=plane: plane.reported(said, at_s))  # type: ignore[misc]

    def _report(self, node: Node) -> CapacityReport:
        return report(node.name, fits=SEATS - node.held, held=node.held, seq=node.seq)


def run(rounds: int, seconds: float) -> Iterator[Figure]:
    """Twenty bursts a round."""
    del seconds
    orders = {"best only": best_only, "two choices": two_choices, "random": at_random}
    for planes, (nodes, free), load, name in itertools.product((1, 2), FLEETS, LOADS, orders):
        told = [
            [
                Burst(planes, nodes, free, load, orders[name], 100 * at + seed).run()
                for seed in range(20)
            ]
            for at in range(rounds)
        ]
        what = f"{planes} plane{'s' * (planes > 1)}, {nodes} x {free} free, {load:.0%}, {name}"
        yield Figure(f"{what}: asked", "a seat", tuple(_asked(one) for one in told))
        refused = tuple(sum(burst.refused for burst in one) / len(one) for one in told)
        yield Figure(f"{what}: refused", "a burst", refused)


def _asked(bursts: list[Told]) -> float:
    return sum(one.asked for one in bursts) / sum(one.seated for one in bursts)
