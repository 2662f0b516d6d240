"""One simulated day against the plain selector of real-time media servers, on the same demand.

Nine regions, demand that follows each one's local time and exceeds its seats at the peak, a region
that is lost for an hour. The plain selector knows every node's load exactly and at once; ours knows
what is reported every 3 s, and asks nodes, which have the last word. Virtual time: the machine's
pace is of no matter, and equal seeds give equal days.
"""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from control_plane.fleet import Fleet
from control_plane.placement import PlacementAsk, decide
from heliovox.protocol.messages import Place
from shared.capacity import CapacityReport, KindRoom
from shared.geography import rtt_ms
from shared.policy import compile_policies
from shared.regions import EVERYWHERE, Overflow, Policy, Region, World
from tests.benchmarks.figures import Figure, percentile

REGIONS = {  # law, place, hours ahead of UTC
    "us-east": ("us", Place(39.0, -77.5), -5), "us-west": ("us", Place(45.8, -119.7), -8),
    "sa-east": ("br", Place(-23.5, -46.6), -3), "eu-west": ("ie", Place(53.3, -6.3), 0),
    "eu-central": ("de", Place(50.1, 8.7), 1), "me-central": ("ae", Place(25.2, 55.3), 4),
    "ap-south": ("in", Place(19.1, 72.9), 5.5), "ap-southeast": ("sg", Place(1.35, 103.8), 8),
    "ap-northeast": ("jp", Place(35.7, 139.7), 9),
}  # fmt: skip
NODES, SEATS = 2, 20
"""Nodes of a region, seats of a node."""
CALL_S, PEAK = 300.0, 1.15
"""Mean length of a session; demand at the local peak, over the seats of the region."""
DAY_S, REPORT_S = 86_400, 3
LOST, LOST_FROM_S, LOST_S = "eu-central", 12 * 3600, 3600
LIMIT = 0.7
"""The plain selector's: of a node's seats."""
ATTEMPTS = 4


def run(rounds: int, seconds: float) -> Iterator[Figure]:
    """No budgets: what one does better and what worse than the other."""
    del seconds  # a round is a day
    days = [(_day(seed, Ours), _day(seed, Plain)) for seed in range(rounds)]
    for at, name in enumerate(("heliovox", "plain selector")):
        told = [day[at] for day in days]
        yield Figure(f"{name}: sessions asked for", "", tuple(float(one.asked) for one in told))
        yield Figure(f"{name}: placed", "%", tuple(100 * one.placed / one.asked for one in told))
        yield Figure(f"{name}: refused", "", tuple(float(one.asked - one.placed) for one in told))
        yield Figure(
            f"{name}: outside their policy", "", tuple(float(one.unlawful) for one in told)
        )
        yield Figure(f"{name}: refused though a lawful seat was free", "",
                     tuple(float(one.needless) for one in told))  # fmt: skip
        yield Figure(f"{name}: RTT mean", "ms",
                     tuple(sum(one.rtts_ms) / len(one.rtts_ms) for one in told))  # fmt: skip
        yield Figure(f"{name}: RTT p95", "ms", tuple(percentile(o.rtts_ms, 0.95) for o in told))
        lawful = [[rtt for rtt, ok in zip(o.rtts_ms, o.lawful, strict=True) if ok] for o in told]
        yield Figure(f"{name}: RTT mean of the lawful ones", "ms",
                     tuple(sum(rtts) / len(rtts) for rtts in lawful))  # fmt: skip


@dataclass
class Node:
    """One node, as it really is."""

    name: str
    region: str
    held: int = 0
    down: bool = False
    starts: int = 1
    seq: int = 0


@dataclass
class Told:
    """What became of a day's callers."""

    asked: int = 0
    placed: int = 0
    unlawful: int = 0
    needless: int = 0
    rtts_ms: list[float] = field(default_factory=list)
    lawful: list[bool] = field(default_factory=list)


@dataclass(frozen=True)
class Caller:
    """One who wants a session."""

    place: Place
    policy: str
    draw: float
    ramp: float


def world() -> World:
    """Europe keeps to Europe, India to India, the others go anywhere; overflow from 80 %."""
    zones = {"eu": frozenset({"ie", "de"}), "in": frozenset({"in"})}
    zones[EVERYWHERE] = frozenset(law for law, _, _ in REGIONS.values())
    policies = {
        "eu": Policy("eu", ("eu",), Overflow(("eu",), from_load=0.8)),
        "in": Policy("in", ("in",)),
        "any": Policy("any", (EVERYWHERE,), Overflow((EVERYWHERE,), 150.0, from_load=0.8)),
    }
    regions = {name: Region(name, at, "UTC", law) for name, (law, at, _) in REGIONS.items()}
    return World("v", regions, zones, policies, "any")


class Plain:
    """The nearest node whose load is below the limit, else the least loaded anywhere."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes

    def second(self, now_s: int) -> None:
        """It knows all at once."""

    def place(self, caller: Caller, now_s: float) -> Node | None:
        """Where to; None where that node is full."""
        del now_s
        alive = [node for node in self._nodes if not node.down]
        below = [node for node in alive if node.held < LIMIT * SEATS]
        if below:
            places = {name: rtt_ms(caller.place, at) for name, (_, at, _) in REGIONS.items()}
            return min(below, key=lambda node: (places[node.region], node.held, node.name))
        least = min(alive, key=lambda node: (node.held, node.name))
        return least if least.held < SEATS else None


class Ours:
    """The fleet as it is reported, the decision, and nodes that have the last word."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._world = world()
        self._policies, self._fleet = compile_policies(self._world), Fleet(self._world, -10.0)

    def second(self, now_s: int) -> None:
        """Nodes report, a third of them every second."""
        for at, node in enumerate(self._nodes.values()):
            if not node.down and (now_s + at) % REPORT_S == 0:
                node.seq += 1
                self._fleet.reported(_report(node), float(now_s))

    def place(self, caller: Caller, now_s: float) -> Node | None:
        """Asks the ranking's nodes in its order, as the centre does."""
        ask = PlacementAsk("d", 0, "recognition", "en", None, caller.place, caller.draw,
                           ramp=caller.ramp)  # fmt: skip
        decision = decide(self._fleet.view(now_s), ask, self._policies.of(caller.policy))
        for candidate in decision.candidates[:ATTEMPTS]:
            node = self._nodes[candidate.node]
            hold = self._fleet.held_back(node.name, ask.kind, now_s)
            assert hold is not None
            if node.down:
                self._fleet.silent(hold)
            elif node.held >= SEATS:
                self._fleet.refused(hold, "node_full")
            else:
                self._fleet.granted(hold, node.held + 1)
                return node
        return None


def _report(node: Node) -> CapacityReport:
    return CapacityReport(
        node=node.name, region=node.region, boot=f"b{node.starts}", seq=node.seq, at_ms=0,
        url="ws://n", version="1", limit=SEATS, languages=("en",), step_p95_ms=5.0,
        kinds={"recognition": KindRoom(node.held, SEATS - node.held)},
    )  # fmt: skip


def _day(seed: int, selector: type[Ours | Plain]) -> Told:
    nodes = [Node(f"{region}-{at}", region) for region in REGIONS for at in range(NODES)]
    chooser, told, chance = selector(nodes), Told(), random.Random(seed)
    rules = compile_policies(world())
    ends: list[tuple[float, int, Node, int]] = []
    for second in range(DAY_S):
        while ends and ends[0][0] <= second:
            _, _, node, start = heapq.heappop(ends)
            node.held -= start == node.starts  # what died with its node ended before
        _lose(nodes, second)
        chooser.second(second)
        for caller, length_s in _callers(second, chance):
            told.asked += 1
            free = {one.region for one in nodes if not one.down and one.held < SEATS}
            allowed = rules.of(caller.policy).allowed
            chosen = chooser.place(caller, float(second))
            if chosen is None:
                told.needless += bool(free & allowed)
                continue
            chosen.held += 1
            heapq.heappush(ends, (second + length_s, told.asked, chosen, chosen.starts))
            told.placed += 1
            told.lawful.append(chosen.region in allowed)
            told.unlawful += chosen.region not in allowed
            told.rtts_ms.append(rtt_ms(caller.place, REGIONS[chosen.region][1]))
    return told


def _lose(nodes: list[Node], second: int) -> None:
    for node in nodes:
        if node.region == LOST and second == LOST_FROM_S:
            node.down, node.held, node.starts = True, 0, node.starts + 1
        if node.region == LOST and second == LOST_FROM_S + LOST_S:
            node.down = False


def _callers(second: int, chance: random.Random) -> Iterator[tuple[Caller, float]]:
    """Of one second; the same whoever places them."""
    for law, at, ahead_h in REGIONS.values():
        hour = (second / 3600 + ahead_h) % 24
        share = 0.15 + (PEAK - 0.15) * (1 + math.cos(2 * math.pi * (hour - 15) / 24)) / 2
        if chance.random() < share * NODES * SEATS / CALL_S:
            place = Place(at.lat + chance.uniform(-8, 8), at.lon + chance.uniform(-8, 8))
            policy = {"ie": "eu", "de": "eu", "in": "in"}.get(law, "any")
            yield (Caller(place, policy, chance.random(), chance.random()),
                   chance.expovariate(1 / CALL_S))  # fmt: skip
