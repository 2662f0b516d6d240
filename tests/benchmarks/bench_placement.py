"""Decisions and reports: 1,000 nodes, 50 regions, 200 policies; in CPU time of one thread.

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
from shared.policy import Facts, compile_policies
from shared.regions import EVERYWHERE, Overflow, Policy, Region, World
from shared.regions.model import RankingRules, Rule, When
from shared.subjects import report as report_subject
from tests.benchmarks.figures import Figure, percentile

NODES, REGIONS, LAWS, POLICIES = 1000, 50, 10, 200
FLEETS = (100, 300, 1000, 3000)
DECISIONS, WARM = 2000, 1000
"""In a round, and before it."""


def run(rounds: int, seconds: float) -> Iterator[Figure]:
    """Budgets of a decision: 0.3 ms of CPU on average, 5 ms at the 99th percentile."""
    del seconds  # rounds are counted in decisions
    for name, places in (("callers of 500 places", 500), ("every caller elsewhere", 10**9)):
        took = [_decisions(seed, places) for seed in range(rounds)]
        means = tuple(sum(times) / len(times) for times in took)
        tails = tuple(percentile(times, 0.99) for times in took)
        yield Figure(f"decision, {name}: mean CPU", "ms", means, 0.3)
        yield Figure(f"decision, {name}: p99 CPU", "ms", tails, 5.0)
    for nodes in FLEETS:
        took = [_decisions(seed, 500, nodes) for seed in range(rounds)]
        means = tuple(sum(times) / len(times) for times in took)
        yield Figure(f"decision among {nodes} nodes: mean CPU", "ms", means)
    for name, measure in (
        ("report taken in, from bytes", _reports),
        ("view after a report", _views),
        ("report recorded", _recorded),
        ("decision explained", _explained),
    ):
        yield Figure(f"{name}: mean CPU", "ms", tuple(measure(seed) for seed in range(rounds)))


def world(regions: int = REGIONS) -> World:
    """Regions under ten laws; 200 policies that use all there is; 12 rules; prices that weigh."""
    chance = random.Random(1)
    laws = [f"l{at}" for at in range(LAWS)]
    named = {
        f"r{at:02}": Region(
            f"r{at:02}", Place(chance.uniform(-50, 65), chance.uniform(-180, 180)), "UTC",
            laws[at % LAWS], hourly_cost_usd=1.0 + at % 7 / 4,
        )
        for at in range(regions)
    }  # fmt: skip
    zones = {f"z{at}": frozenset(laws[at : at + 1 + at % 5]) for at in range(LAWS)}
    zones[EVERYWHERE] = frozenset(laws)
    policies = {f"p{at:03}": _policy(f"p{at:03}", at) for at in range(POLICIES)}
    rules = {
        f"rule{at:02}": Rule(
            f"rule{at:02}", When(tenants=frozenset({f"t{at}", f"t{at + 1}"})),
            forbid=(f"z{at % LAWS}",) if at % 3 == 0 else (), may_refuse=True,
            overflow=Overflow((EVERYWHERE,), 60.0, from_load=0.7) if at % 3 == 1 else None,
            wait_s=5.0,
        )
        for at in range(12)
    }  # fmt: skip
    return World("v1", named, zones, policies, "p000", rules, RankingRules(5.0))


def _policy(name: str, at: int) -> Policy:
    """A quarter of the policies allows all, the others a zone or two."""
    allow = (EVERYWHERE,) if at % 4 == 0 else (f"z{at % LAWS}", f"z{(at + 3) % LAWS}")
    return Policy(
        name, allow, Overflow(allow, 80.0 if at % 3 else None, 1.5 if at % 5 else None,
                              0.8 if at % 2 else 1.0),
        prefer=(f"z{at % LAWS}",) if at % 7 == 0 else (),
    )  # fmt: skip


class Load:
    """A fleet of a thousand nodes that report, and callers who ask."""

    def __init__(self, seed: int, places: int, nodes: int = NODES) -> None:
        self.chance = random.Random(seed)
        self.world, self.nodes = world(), nodes
        self.policies = compile_policies(self.world)
        self.fleet = Fleet(self.world, 0.0)
        self._places = places
        self._seqs = [0] * nodes
        for node in range(nodes):
            self.fleet.reported(self.report(node), 10.0)
        for node in range(0, nodes, 50):  # some failed lately
            for reachable in (False, True):
                self.fleet.reached(f"node-{node:04}", 10.0, reachable=reachable)
            if hold := self.fleet.held_back(f"node-{node + 1:04}", "recognition", 10.0):
                self.fleet.silent(hold)
                self.fleet.reported(self.report(node + 1), 10.0)

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
        self.fleet.reported(self.report(self.chance.randrange(self.nodes)), 10.0)

    def ask(self) -> tuple[PlacementAsk, str, Facts]:
        """Some caller, his policy, and what rules look at."""
        chance = self.chance
        where = random.Random(chance.randrange(self._places))
        place = Place(where.uniform(-50, 65), where.uniform(-180, 180))
        tenant = f"t{chance.randrange(40)}"
        ask = PlacementAsk(
            "d", 0, "recognition", "en", None, place, chance.random(), tenant=tenant,
            ramp=chance.random(),
        )  # fmt: skip
        return ask, f"p{5 * int(tenant[1:]) + chance.randrange(5):03}", Facts(tenant, language="en")


def _decisions(seed: int, places: int, nodes: int = NODES) -> list[float]:
    """What one costs, the rules that are about it worked in."""
    load, took = Load(seed, places, nodes), []
    for number in range(DECISIONS + WARM):
        load.change()
        view = load.fleet.view(10.0)
        ask, name, facts = load.ask()
        began = time.thread_time_ns()
        decide(view, ask, load.policies.effective(name, facts, 0))
        if number >= WARM:
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
    ask, name, facts = load.ask()
    decision = decide(load.fleet.view(10.0), ask, load.policies.effective(name, facts, 0))
    return _mean_ms(lambda _: explain(decision), 50)
