"""The order of things."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from heliovox.local.demo.crowding import Crowding
from heliovox.local.demo.outages import kill_a_node, stop_the_centre
from heliovox.local.demo.plan import STREAMS_PER_NODE, Plan
from heliovox.local.demo.speaking import MULAW, PCM, Speaking
from heliovox.local.demo.stage import Stage
from heliovox.local.home import Home, WorldFile
from heliovox.local.nats_process import NatsFailed
from heliovox.local.screen import Screen
from heliovox.local.steps import Step
from heliovox.local.world.child import ChildFailed
from heliovox.local.world.leftovers import born
from heliovox.local.world.settings import Plan as WorldPlan
from heliovox.local.world.world import LocalWorld, local_world

LIMIT_S = 240.0
"""Nothing is waited for longer, whatever happens."""


class Demonstration:
    """Runs a plan; `steps` is what was done so far."""

    def __init__(self, plan: Plan, screen: Screen, environ: Mapping[str, str]) -> None:
        self._plan, self._screen, self._environ = plan, screen, environ
        self.steps: list[Step] = []

    async def run(self, begun: Callable[[LocalWorld], object] = lambda _: None) -> list[Step]:
        """Everything, world up to world down. What goes wrong is a step that is not ok.

        Args:
            begun: gets the world before it is ready, for whoever may have to cut it short.
        """
        self._screen.title("A world comes up: buses, a control plane, nodes in four regions")
        with TemporaryDirectory(prefix="heliovox-") as folder:
            home = Home(Path(folder) / "world")
            plan = WorldPlan(
                home,
                self._environ,
                name="demo",
                streams_per_node=STREAMS_PER_NODE,
                recogniser=self._plan.recogniser,
            )
            try:
                left = await self._live(plan, begun)
            except (ChildFailed, NatsFailed, OSError) as error:
                self._screen.line(str(error))
                self.steps.append(Step("world", ok=False, detail={"error": str(error)}))
                return self.steps
            self.steps.append(_stopped(self._screen, home, left))
        return self.steps

    async def _live(self, plan: WorldPlan, begun: Callable[[LocalWorld], object]) -> "Traces":
        async with asyncio.timeout(LIMIT_S), local_world(plan, self._tell, begun) as world:
            file = world.file
            assert file is not None
            self._screen.line(
                f"up after {file.took_s:.1f} s; every node takes {file.streams_per_node} sessions"
            )
            detail = {
                "took_s": file.took_s,
                "control": file.control,
                "nodes": {node.node: node.url for node in file.nodes},
                "streams_per_node": file.streams_per_node,
            }
            self.steps.append(Step("world", ok=True, detail=detail))
            traces = Traces.of(world, file)
            await world.or_failure(self._play(world))
        return traces

    async def _play(self, world: LocalWorld) -> None:
        stage = Stage(self._plan, self._screen, world)
        stage.steps = self.steps
        speaking = Speaking(stage)
        await stage.attempt("place and say", speaking.place_and_say)
        if not speaking.said:
            return
        await self._listen(stage, speaking)
        if self._plan.people or self._plan.people_problem:
            await stage.attempt("listen people", speaking.listen_to_people)
        async with Crowding(stage) as crowd:
            await stage.attempt("overflow", crowd.overflow)
            await stage.attempt("refuse", crowd.refuse)
        await stage.attempt("kill", lambda: kill_a_node(stage))
        await stage.attempt("dark", lambda: stop_the_centre(stage, speaking))

    async def _listen(self, stage: Stage, speaking: Speaking) -> None:
        others: list[Step] = []

        async def first() -> Step:
            step, *rest = await speaking.listen()
            others.extend(rest)
            return step

        await stage.attempt(PCM, first)
        stage.steps.extend(others or [Step(MULAW, ok=False, detail={"error": "see the other"})])

    def _tell(self, name: str, what: str) -> None:
        self._screen.line(f"{name:<14} {what}")


class Traces:
    """What must be gone once the world is down."""

    def __init__(self, processes: dict[str, int], ports: list[int]) -> None:
        self.processes, self.ports = processes, ports
        self._born = {pid: born(pid) for pid in processes.values()}

    @classmethod
    def of(cls, world: LocalWorld, file: WorldFile) -> "Traces":
        """Of a world that runs."""
        urls = [file.control, *(node.url for node in file.nodes), *(bus.url for bus in file.buses)]
        ports = [port for url in urls if (port := urlsplit(url).port)]
        return cls({name: pid for name, pid, _ in world.processes()}, ports)

    def left(self) -> list[str]:
        """Processes that still run, and ports on which somebody still listens."""
        living = [
            name
            for name, pid in self.processes.items()
            if self._born[pid] and born(pid) == self._born[pid]
        ]
        return [*living, *(f"port {port}" for port in self.ports if _answers(port))]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stopped(screen: Screen, home: Home, traces: Traces) -> Step:
    left = traces.left()
    left += [str(path) for path in (home.run, home.file, home.lock) if path.exists()]
    screen.title("The world is taken down")
    gone = f"{len(traces.processes)} processes and {len(traces.ports)} ports: nothing is left"
    screen.line(f"still there: {', '.join(left)}" if left else gone)
    return Step("stop", ok=not left, detail={"left": left, "processes": len(traces.processes)})
