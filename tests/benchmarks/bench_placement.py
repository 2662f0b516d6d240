"""Decisions and reports among 1,000 nodes in 50 regions, in CPU time of one thread.

Every decision is made on a view of its own: a report changed the fleet before it, as in life. The
reports and the views that they make are counted apart from the decisions.
"""

import random
import time
from collections.abc import Callable, Iterator

import msgspec

from control_plane.fleet import Fleet
from control_plane.placement import PlacementAsk, decide, explain
from control_plane.placement.recorder import Recorder
from heliovox.protocol.messages import Place
from shared.capacity import CapacityReport, KindRoom
from shared.policy import CompiledPolicy, compile_policies
from shared.regions import EVERYWHERE, Overflow, Policy, Region, World
from shared.subjects import report as report_subject
from tests.benchmarks.figures import Figure, percentile

NODES, REGIONS, LAWS = 1000, 50, 10
DECISIONS = 2000
"""In a round."""


def run(rounds: int, seconds: float) -> Iterator[Figure]:
    """Budgets of a decision: 0.3 ms of CPU on average, 5 ms at the 99th percentile."""
    del seconds  # rounds are counted in decisions
    for name, places in (("callers of 500 places", 500), ("every caller elsewhere", 10**9)):
        took = [_decisions(seed, places) for seed in range(rounds)]
        means = tuple(sum(times) / len(times) for times in took)
        tails = tuple(percentile(times, 0.99) for times in took)
        yield Figure(f"decision, {name}: mean CPU", "ms", means, 0.3)
        yield Figure(f"decision, {name}: p99 CPU", "ms", tails, 5.0)
    for name, measure in (
        ("report taken in, from bytes", _reports),
        ("view after a report", _views),
        ("report recorded", _recorded),
        ("decision explained", _explained),
    ):
        yield Figure(f"{name}: mean CPU", "ms", tuple(measure(seed) for seed in range(rounds)))


def world() -> World:
    """Fifty regions under ten laws; a policy that allows a tenth, a half, all of them."""
    chance = random.Random(1)
    regions = {
        f"r{at:02}": Region(
            f"r{at:02}", Place(chance.uniform(-50, 65), chance.uniform(-180, 180)), "UTC",
            f"l{at % LAWS}",
        )
        for at in range(REGIONS)
    }  # fmt: skip
    laws = [f"l{at}" for at in range(LAWS)]
    zones = {"one": frozenset(laws[:1]), "half": frozenset(laws[:5]), EVERYWHERE: frozenset(laws)}
    policies = {
        "one": Policy("one", ("one",), Overflow(("one",))),
        "half": Policy("half", ("half",), Overflow(("half",), 80.0)),
        "all": Policy("all", (EVERYWHERE,), Overflow((EVERYWHERE,))),
    }
    return World("v1", regions, zones, policies, "all")


class Load:
    """A fleet of a thousand nodes that report, and callers who ask."""

    def __init__(self, seed: int, places: int, recorder: Recorder | None = None) -> None:
        self.chance = random.Random(seed)
        self.world = world()
        self.policies = list(compile_policies(self.world).by_name.values())
        self.fleet = Fleet(self.world, 0.0, witness=recorder)
        self._places = places
        self._seqs = [0] * NODES
        for node in range(NODES):
            self.fleet.reported(self.report(node), 10.0)

    def report(self, node: int) -> CapacityReport:
        """The next one of a node."""
        chance = self.chance
        self._seqs[node] += 1
        held = chance.randrange(21)
        return CapacityReport(
            node=f"node-{node:04}", region=f"r{node % REGIONS:02}", boot="20260101-1",
            seq=self._seqs[node], at_ms=1_800_000_000_000, url=f"wss://node-{node:04}.example.net",
            version="0.1.0", limit=20, languages=("en", "hi"), models=("small", "large"),
            voices=("anna",), step_p50_ms=4.0, step_p95_ms=4.0 + chance.random(), queue=held // 8,
            kinds={"recognition": KindRoom(held, 20 - held), "synthesis": KindRoom(0, 40 - held)},
        )  # fmt: skip

    def change(self) -> None:
        """Some node reports something else than before."""
        self.fleet.reported(self.report(self.chance.randrange(NODES)), 10.0)

    def ask(self) -> tuple[PlacementAsk, CompiledPolicy]:
        """Some caller."""
        where = random.Random(self.chance.randrange(self._places))
        place = Place(where.uniform(-50, 65), where.uniform(-180, 180))
        ask = PlacementAsk(
            "d", 0, "recognition", "en", None, place, self.chance.random(), tenant="t"
        )
        return ask, self.chance.choice(self.policies)


def _decisions(seed: int, places: int) -> list[float]:
    load, took = Load(seed, places), []
    for number in range(DECISIONS + 200):
        load.change()
        view = load.fleet.view(10.0)
        ask, policy = load.ask()
        began = time.thread_time_ns()
        decide(view, ask, policy)
        if number >= 200:  # warm
            took.append((time.thread_time_ns() - began) / 1e6)
    return took


def _mean_ms(work: Callable[[int], object], times: int) -> float:
    began = time.thread_time_ns()
    for number in range(times):
        work(number)
    return (time.thread_time_ns() - began) / 1e6 / times


def _reports(seed: int) -> float:
    load = Load(seed, 500)
    load.fleet.view(10.0)
    said = [load.report(load.chance.randrange(NODES)) for _ in range(5000)]
    sent = [(report_subject(one.region, one.node), msgspec.json.encode(one)) for one in said]
    return _mean_ms(lambda at: load.fleet.heard(*sent[at], 10.0), len(sent))


def _views(seed: int) -> float:
    load, spent = Load(seed, 500), 0
    for _ in range(2000):
        load.change()
        began = time.thread_time_ns()
        load.fleet.view(10.0)
        spent += time.thread_time_ns() - began
    return spent / 1e6 / 2000


def _recorded(seed: int) -> float:
    """The reports of five seconds, with the batches that they make."""
    recorder = Recorder("plane", "start")
    load = Load(seed, 500)
    recorder.snapshot(load.fleet.state())
    said = [load.report(at % NODES) for at in range(5 * NODES)]

    def one(at: int) -> None:
        recorder.reported(said[at], 10.0)
        if at % NODES == 0:
            while recorder.take() is not None:
                pass

    return _mean_ms(one, len(said))


def _explained(seed: int) -> float:
    load = Load(seed, 500)
    ask, policy = load.ask()
    decision = decide(load.fleet.view(10.0), ask, policy)
    return _mean_ms(lambda _: explain(decision), 50)
