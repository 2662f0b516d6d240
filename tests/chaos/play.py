"""Callers speak, faults come one after the other, and everything is taken down."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.caller import ANSWER_S, Caller
from tests.chaos.faults import EVERYBODY, KINDS, LASTS_S, Kind, Speaking, schedule, target
from tests.chaos.stage import Stage
from tests.chaos.verdict import Told, within_word

LEAST_HIT = 5
"""Sessions that a fault must hit in the middle of a word."""
_LOOK_S = 0.02
_WAIT_S = 6.0
"""For so many to be within a word on one node; then another kind is tried."""
CALM_S = 4.0
"""Between the end of a fault and the next one."""
WARM_SHARE, WARM_MOST_S = 0.2, 20.0
"""Nothing happens at first: how late words are by themselves is seen then."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault, and whom it hit in the middle of a word."""

    kind: Kind
    node: str
    at_s: float
    callers: tuple[str, ...]
    problem: str = ""
    """Why it could not be done as meant."""


@dataclass
class Play:
    """One run.

    Args:
        stage: the world.
        callers: by name.
        words: of each caller, undisturbed.
        rng: draws the order of faults.
        tell: told of each fault.
        kinds: of faults that may come.
    """

    stage: Stage
    callers: Mapping[str, Caller]
    words: Mapping[str, Sequence[Told]]
    rng: random.Random
    tell: Callable[[str], None]
    kinds: Sequence[Kind] = KINDS
    hits: list[Hit] = field(default_factory=list)
    missed: list[Kind] = field(default_factory=list)
    """Faults for which too few sessions were within a word at one moment."""

    async def run(self, seconds: float) -> None:
        """From the first word to the last; faults for as long as people speak."""
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            speaking = [
                group.create_task(self._speak(one, begun), name=name)
                for name, one in self.callers.items()
            ]
            begun.set()
            until_s = loop.time() + seconds
            await asyncio.sleep(min(WARM_SHARE * seconds, WARM_MOST_S))
            for kind in schedule(self.rng, self.kinds):
                if loop.time() + LASTS_S[kind] + CALM_S > until_s:
                    break
                await self._fault(kind)
                await asyncio.sleep(CALM_S)
            await asyncio.wait(speaking, timeout=max(0.0, until_s - loop.time()) + ANSWER_S)
            for one in speaking:
                one.cancel()

    async def _speak(self, caller: Caller, begun: asyncio.Event) -> None:
        await caller.run(begun)

    async def _fault(self, kind: Kind) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _WAIT_S
        while (names := target(kind, self._speaking(), LEAST_HIT)) is None:
            if loop.time() > until_s:
                self.missed.append(kind)
                self.tell(f"{kind}: too few were within a word on one node")
                return
            await asyncio.sleep(_LOOK_S)
        node, at_s = self._node_of(kind, names), loop.time()
        self.tell(f"{kind} {node}: {len(names)} within a word")
        problem = ""
        try:
            await self._do(kind, node, names)
        except Exception as error:  # noqa: BLE001 whatever it is, the run goes on and says so
            problem = f"{type(error).__name__}: {error}"[:300]
            self.tell(f"  could not be done as meant: {problem}")
        self.hits.append(Hit(kind, node, at_s, names, problem))

    async def _do(self, kind: Kind, node: str, names: Sequence[str]) -> None:
        if kind == "move":
            await self.stage.move({name: self.callers[name].session_id for name in names})
        else:
            await getattr(self.stage, kind)(node, LASTS_S[kind])

    def _node_of(self, kind: Kind, names: Sequence[str]) -> str:
        nodes = [self.callers[name].node for name in names]
        return max(nodes, key=nodes.count) if kind in EVERYBODY else nodes[0]

    def _speaking(self) -> list[Speaking]:
        now_s = asyncio.get_running_loop().time()
        return [
            Speaking(name, one.node, within_word(self.words[name], self._at_ms(one, now_s)))
            for name, one in self.callers.items()
            if one.node and not one.error
        ]

    @staticmethod
    def _at_ms(caller: Caller, now_s: float) -> int:
        return round((now_s - caller.record.begun_s) * 1000)
