"""In which order the able nodes come, and who may win."""

from dataclasses import dataclass
from itertools import product, zip_longest
from typing import Any

from prover.checker.cost import parts_ms
from prover.checker.fleet import Fleet, Seen
from prover.checker.policy import Effective
from prover.checker.reach import CLOSE_MS, EXACT, Sifted
from prover.checker.world import World

AS_GOOD_MS = 5.0


@dataclass
class Ranked:
    """An able node and what it is ranked by."""

    seen: Seen
    stands_back: bool
    group: int
    """0 comes before 1 before 2."""
    parts: dict[str, float]
    price_ms: float
    risk_ms: float
    """What it is ranked by within its group."""
    total_ms: float
    """What decides between the two that are drawn."""

    @property
    def name(self) -> str:
        """Of the node."""
        return self.seen.name

    @property
    def place(self) -> tuple[bool, int]:
        """What comes before any cost."""
        return self.stands_back, self.group

    @property
    def key(self) -> tuple[bool, int, float, str]:
        """Its place in the order."""
        return self.stands_back, self.group, self.risk_ms, self.name


def spills(fleet: Fleet, policy: Effective, home: str, kind: str) -> bool:
    """Whether the home region is so full that sessions go elsewhere though seats are left."""
    return policy.from_load < 1.0 and fleet.load(home, kind) >= policy.from_load - EXACT


def rank(
    world: World,
    fleet: Fleet,
    policy: Effective,
    ask: dict[str, Any],
    found: Sifted,
    now_s: float,
) -> list[Ranked]:
    """The able nodes, best first, before chance has its say."""
    assert found.home is not None
    spilling = spills(fleet, policy, found.home, ask["kind"])
    ranked = []
    for one in found.able:
        group = _group(fleet, policy, ask["kind"], one.region, found.home, spilling=spilling)
        region = world.regions[one.region]
        price_ms = world.cost_ms_per_usd * region.cost_usd
        history_ms = one.node.history_ms(now_s)
        parts = parts_ms(one.node, one.room, found.rtt_ms[one.region], history_ms)
        risk_ms = sum(parts.values())
        total_ms = risk_ms + price_ms
        if not world.conservative:
            risk_ms = total_ms
        back = one.share < 1.0 and one.share <= ask["ramp"]
        ranked.append(Ranked(one, back, group, parts, price_ms, risk_ms, total_ms))
    return sorted(ranked, key=lambda each: each.key)


def _group(
    fleet: Fleet, policy: Effective, kind: str, region: str, home: str, *, spilling: bool
) -> int:
    if not spilling:
        return 0 if region == home else 1
    if region == home:
        return 1
    return 0 if fleet.load(region, kind) < policy.from_load - EXACT else 2


def winners(ranked: list[Ranked], draw: float) -> dict[str, set[bool]]:
    """Who may win, and whether as the first of its group; several only where rounding decides.

    Two are drawn from those that are as good as the best; the one with the smaller total wins, the
    first that was drawn where they are equal.
    """
    best = ranked[0]
    peers = [each for each in ranked if each.place == best.place]
    limit_ms = best.risk_ms + AS_GOOD_MS
    surely = sum(each.risk_ms <= limit_ms - CLOSE_MS for each in peers)
    maybe = sum(each.risk_ms <= limit_ms + CLOSE_MS for each in peers)
    at = _who_may_stand(peers[:maybe])
    found: dict[str, set[bool]] = {}
    for count in range(max(surely, 1), maybe + 1):
        first = int(draw * count)
        second = int((draw * count - first) * count)
        for one, other in product(at[first], at[second]):
            if (one is other) == (first == second):
                for winner, place in _of_two((one, first), (other, second)):
                    found.setdefault(winner.name, set()).add(place == 0)
    return found


Drawn = tuple[Ranked, int]


def _of_two(one: Drawn, other: Drawn) -> list[Drawn]:
    less_ms = one[0].total_ms - other[0].total_ms
    if abs(less_ms) < CLOSE_MS and not alike(one[0], other[0]):
        return [one, other]
    return [other if less_ms > 0.0 else one]


def alike(one: Ranked, other: Ranked) -> bool:
    """Whether both cost the same by the same parts, so that no rounding parts them."""
    return one.parts == other.parts and one.price_ms == other.price_ms


def _who_may_stand(peers: list[Ranked]) -> list[list[Ranked]]:
    """For each place in the order, who may stand there.

    Where costs are equal by other parts, two programs may round them to different orders.
    """
    at: list[list[Ranked]] = []
    run: list[Ranked] = []
    for each, after in zip_longest(peers, peers[1:]):
        run.append(each)
        if after is None or after.risk_ms - each.risk_ms >= CLOSE_MS:
            same = all(alike(run[0], other) for other in run)
            at += [[one] for one in run] if same else [run] * len(run)
            run = []
    return at
