"""An hour of a small world in virtual time: nodes that come, go, break and restart; callers."""

import random
from collections.abc import Iterator

from control_plane.fleet import Fleet
from control_plane.placement import PlacementAsk, decide
from control_plane.placement.attempts import Ask, Attempts, Seated, verdict
from control_plane.placement.record import Batch, read_batch
from control_plane.placement.recorder import Recorder
from heliovox.protocol.messages import Place
from shared.capacity import CapacityReport
from shared.exchange import Reserved
from shared.policy import compile_policies
from shared.regions import World
from shared.regions.model import RankingRules
from tests.support.fleets import report, world

LIMIT = 6
RANKINGS = (RankingRules(), RankingRules(10.0), RankingRules(10.0, conservative=False))


class Node:
    """One node, as far as the centre can tell."""

    def __init__(self, name: str, region: str, chance: random.Random) -> None:
        self.name, self.region, self._chance = name, region, chance
        self.starts = self.seq = self.held = self.reserved = 0
        self.down_until_s = 0.0
        self.draining = self.cut_off = False

    @property
    def boot(self) -> str:
        return f"b{self.starts:04}"

    def live(self, now_s: float) -> bool:
        """Steps on: sessions come and end, and sometimes the node dies and comes back."""
        chance = self._chance.random
        if now_s < self.down_until_s:
            return False
        if chance() < 0.003:
            self.down_until_s = now_s + self._chance.choice([1.0, 4.0, 30.0, 400.0])
            self.starts, self.seq, self.held, self.reserved = self.starts + 1, 0, 0, 0
            return False
        self.draining = chance() < 0.02
        self.held, self.reserved = self.held + self.reserved, 0
        self.held -= sum(chance() < 0.3 for _ in range(self.held))
        return True

    def report(self, now_s: float, *, goodbye: bool = False) -> CapacityReport:
        self.seq += 1
        return report(
            self.name, self.region, boot=self.boot, seq=self.seq, at_ms=int(now_s * 1000),
            held=self.held, fits=LIMIT - self.held - self.reserved, reserved=self.reserved,
            limit=LIMIT, draining=self.draining, goodbye=goodbye,
            step_p95_ms=round(4 + self.held + self._chance.random(), 3),
            languages=("en", "hi") if self.name.endswith("0") else ("en",),
        )  # fmt: skip

    def visited(self) -> None:
        """What the centre does not know yet: somebody came straight here, or a drain began."""
        if self._chance.random() < 0.2:
            self.held = min(LIMIT - self.reserved, self.held + 1)
        self.draining = self.draining or self._chance.random() < 0.01

    def reserve(self, now_s: float) -> Reserved | None:
        if now_s < self.down_until_s or self._chance.random() < 0.01:
            return None
        if self.draining:
            return Reserved(False, self.name, self.boot, code="node_draining")
        if self.held + self.reserved >= LIMIT:
            return Reserved(False, self.name, self.boot, code="node_full")
        self.reserved += 1
        return Reserved(True, self.name, self.boot, 10.0, held=self.held + self.reserved)


class Hour:
    """Drives a fleet as a control plane does, with everything taken down.

    Args:
        seed: equal seeds, equal hours.
        seconds: of virtual time.
        kept_bytes: what the recorder may keep.
    """

    def __init__(self, seed: int, seconds: int, kept_bytes: int = 2**25) -> None:
        self._chance = random.Random(seed)
        self._seconds = seconds
        self.recorder = Recorder("plane-1", "s1", kept_bytes)
        self._world = world()
        self._policies = compile_policies(self._world)
        self.fleet = Fleet(self._world, 0.0, witness=self.recorder)
        places = sorted(self._world.regions)
        self._nodes = [Node(f"n{at}", places[at % 4], self._chance) for at in range(12)]
        self.outcomes: dict[str, int] = {}

    def batches(self, *, take_every: int = 10) -> Iterator[Batch]:
        """What the recorder gives, taken away every so many seconds."""
        for second in range(self._seconds):
            self._second(float(second))
            if second % take_every == 0 or second == self._seconds - 1:
                while (packed := self.recorder.take()) is not None:
                    yield read_batch(packed.data)
            if self.recorder.wants_snapshot(float(second)):
                self.recorder.snapshot(self.fleet.state())

    def _second(self, now_s: float) -> None:
        for node in self._nodes:
            if node.live(now_s):
                self.fleet.reported(node.report(now_s), now_s + self._chance.random() / 2)
                node.visited()
            elif self._chance.random() < 0.02:
                self.fleet.reported(node.report(now_s, goodbye=True), now_s + 0.5)
            if self._chance.random() < 0.01:
                node.cut_off = not node.cut_off
                self.fleet.reached(node.name, now_s + 0.5, reachable=not node.cut_off)
        if self._chance.random() < 0.002:
            self._world = World(
                f"v{int(now_s)}",
                self._world.regions,
                self._world.zones,
                self._world.policies,
                ranking=self._chance.choice(RANKINGS),
            )
            self.fleet.use(self._world)
            self._policies = compile_policies(self._world)
        for caller in range(self._chance.choice([0, 1, 2, 6])):
            self._place(now_s + 0.5 + caller / 100, f"{int(now_s)}-{caller}")
        self.fleet.nodes(now_s + 0.9)  # an operator looks

    def _place(self, now_s: float, name: str) -> None:
        chance = self._chance
        wanted = PlacementAsk(
            name, int(now_s * 1000), "recognition", chance.choice(["en", "en", "hi"]), None,
            Place(chance.uniform(-60, 60), chance.uniform(-180, 180)), chance.random(),
            ramp=chance.random(),
        )  # fmt: skip
        policy = self._policies.of(chance.choice(["eu-only", "anywhere", "near", "early"]))
        decision = decide(self.fleet.view(now_s), wanted, policy)
        self.recorder.decided(decision)
        attempts = Attempts(decision, now_s)
        while isinstance(step := attempts.step, Ask):
            node = next(one for one in self._nodes if one.name == step.candidate.node)
            hold = self.fleet.held_back(node.name, wanted.kind, now_s)
            answer = node.reserve(now_s)
            now_s += 0.5 if answer is None else 0.001
            assert hold is not None
            said = verdict(step.candidate, answer)
            if said == "granted" and answer is not None:
                self.fleet.granted(hold, answer.held)
            elif said == "refused" and answer is not None:
                self.fleet.refused(hold, answer.code)
            else:
                self.fleet.silent(hold)
            attempts.answered(answer, now_s)
        seated = isinstance(attempts.step, Seated)
        self.recorder.tried(name, attempts.story, name if seated else None)
        outcome = decision.outcome if not attempts.story or seated else "not_seated"
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
