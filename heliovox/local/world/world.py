"""Composes a world on this machine, and takes it down in reverse, whatever ended it."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from heliovox.client.control import ControlPlane
from heliovox.client.errors import ClientError
from heliovox.local.home import BusFile, NodeFile, StoreFile, WorldFile, held
from heliovox.local.nats_process import NatsServer
from heliovox.local.nats_world import NatsWorld
from heliovox.local.world import settings
from heliovox.local.world.child import Child, ChildFailed, in_words
from heliovox.local.world.leftovers import clean_up, write_down
from heliovox.local.world.settings import PLANE, Plan
from heliovox.local.world.whole import what_is_missing
from shared.files import write_private
from shared.policy import compile_policies, reachable_stores
from shared.pseudonyms import ensure_pseudonym_key
from shared.regions.file import default_world_path, load_world
from shared.regions.model import World
from shared.tasks import Tasks

T = TypeVar("T")
SEEN_S = 30.0
"""Every node reports once a second; what takes longer than this does not come."""
_LOOK_S = 0.1
Tell = Callable[[str, str], None]
"""Told of each part: its name, and what is to be known of it."""


class RegionUnknown(ValueError):
    """A region that the regions file does not have."""


@dataclass(slots=True)
class LocalNode:
    """A node of the world."""

    name: str
    region: str
    child: Child
    url: str = ""


class LocalWorld:
    """A world that runs. `file` says where everything is."""

    def __init__(self, plan: Plan, tell: Tell) -> None:
        self.plan, self._tell = plan, tell
        self.regions = regions_of(plan)
        self.nodes = {
            name: LocalNode(name, region, self._child(name)) for name, region in plan.nodes
        }
        self.control = self._child("control")
        self.file: WorldFile | None = None
        self._kept_in = reachable_stores(self.regions, compile_policies(self.regions))
        self._buses = NatsWorld(
            plan.home.run / "nats",
            {region: [name for name, at in plan.nodes if at == region] for region in plan.regions},
            [PLANE],
            plan.home.logs,
            self._kept_in,
        )
        self._tasks = Tasks()
        self._failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._control_url = ""
        self._stopping = False

    @property
    def nodes_by_region(self) -> dict[str, LocalNode]:
        """The first node of each region."""
        return {node.region: node for node in reversed(self.nodes.values())}

    @property
    def operator(self) -> ControlPlane:
        """The control plane as its operator asks it."""
        assert self.file is not None, "the world is not ready"
        return _plane(self.file.control, Path(self.file.operator_key_file))

    @property
    def caller_key(self) -> str:
        """A key for every policy."""
        assert self.file is not None, "the world is not ready"
        return Path(self.file.key_file).read_text(encoding="ascii").strip()

    def processes(self) -> list[tuple[str, int, Path]]:
        """Name, number and log of everything that runs."""
        buses = [(f"bus {one.name}", one.pid, one.log) for one in self._buses.servers]
        children = [self.control, *(node.child for node in self.nodes.values())]
        return [
            (name, pid, log)
            for name, pid, log in [*buses, *((c.name, c.pid, c.log) for c in children)]
            if pid is not None
        ]

    async def start(self) -> None:
        """Everything in its order, each ready before what relies on it.

        Raises:
            ChildFailed, NatsFailed: a part did not start, or ended meanwhile.
            OSError: a file or the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        await self.or_failure(self._buses.start())
        for server in self._buses.servers:
            _ = self._tasks.begin(self._watch_bus(server), f"watch {server.name}")
        self._written_down()
        self._say("message buses", f"the centre's and {len(self._buses.servers) - 1}", begun_s)
        control = await self.or_failure(self._start_control(begun_s))
        await self.or_failure(self._start_nodes(begun_s))
        await self.or_failure(self._all_seen(control))
        self.file = self._as_file(control, round(loop.time() - begun_s, 2))
        write_private(self.plan.home.file, msgspec.json.encode(self.file))

    async def start_again(self, name: str) -> None:
        """A node, `control` or `centre` (its bus), after it was ended. Raises like `start`."""
        begun_s = asyncio.get_running_loop().time()
        if name == self.control.name:
            _ = await self._start_control(begun_s)
        elif name == self._buses.hub.name:
            await self._buses.start_hub_again()
            _ = self._tasks.begin(self._watch_bus(self._buses.hub), f"watch {name}")
        else:
            await self._start_node(self.nodes[name], begun_s)

    async def kill(self, name: str) -> None:
        """As a power cut would: a node, `control` or `centre` (its bus)."""
        if name == self._buses.hub.name:
            await self._buses.hub.kill()
        else:
            await (self.control if name == self.control.name else self.nodes[name].child).kill()

    async def until_failure(self) -> Exception:
        """Waits until a part ends unasked, and says which and why."""
        return await asyncio.shield(self._failed)

    async def stop(self) -> None:
        """Nodes, control plane, buses: in reverse."""
        self._stopping = True
        await asyncio.gather(*(node.child.stop() for node in self.nodes.values()))
        await self.control.stop()
        await self._buses.stop()
        await self._tasks.end()

    def cut(self) -> None:
        """All at once, for whoever cannot wait; `stop` goes on and finds them ended."""
        self._stopping = True
        for _, pid, _ in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def _start_control(self, begun_s: float) -> str:
        bus = settings.BusAccess(self._buses.hub.url, self._buses.plane_seed_file(PLANE))
        said = await self._started(
            self.control, "control_plane", settings.control_settings(self.plan, bus)
        )
        self._say("control plane", said["url"], begun_s)
        self._control_url = str(said["url"])
        return self._control_url

    async def _start_nodes(self, begun_s: float) -> None:
        """The first one alone where they measure the machine: nobody else shall keep it busy."""
        nodes = list(self.nodes.values())
        alone = 1 if self.plan.streams_per_node is None else 0
        for node in nodes[:alone]:
            await self._start_node(node, begun_s)
        async with asyncio.TaskGroup() as group:
            for node in nodes[alone:]:
                group.create_task(self._start_node(node, begun_s), name=f"start {node.name}")

    async def _start_node(self, node: LocalNode, begun_s: float) -> None:
        bus = settings.BusAccess(
            self._buses.leaf(node.region).url, self._buses.node_seed_file(node.region, node.name)
        )
        public_key = self._state("control") / "signing.pub.pem"
        centre = settings.CentreAccess(public_key, self._control_url)
        said = await self._started(
            node.child,
            "edge_node",
            settings.node_settings(
                self.plan, node.name, node.region, bus, self._content(node), centre
            ),
        )
        node.url = str(said["url"])
        self._say(node.name, node.url, begun_s)

    def _content(self, node: LocalNode) -> settings.ContentAccess:
        """The stores that the node can get at: others know nobody of its region."""
        stores = {node.region, *self._kept_in[node.region]}
        key_file = self.plan.home.run / "pseudonyms" / f"{node.region}.key"
        ensure_pseudonym_key(key_file)
        return settings.ContentAccess(
            {
                region: self._buses.leaf(region).url
                for region in self.plan.regions
                if region in stores
            },
            self._buses.writer_seed_file(node.region, node.name),
            key_file,
        )

    async def _started(self, child: Child, module: str, values: dict[str, Any]) -> dict[str, Any]:
        file = self.plan.home.run / "settings" / f"{child.name}.yaml"
        write_private(file, yaml.safe_dump(values).encode())
        await child.start(settings.command(module, file))
        self._written_down()
        said = await child.ready()
        _ = self._tasks.begin(self._watch(child), f"watch {child.name}")
        return said

    async def _all_seen(self, control: str) -> None:
        """Until every node takes callers, and knows that all others do."""
        plane = _plane(control, self._state("control") / "operator.key")
        missing = ["everything"]
        try:
            async with asyncio.timeout(SEEN_S):
                while missing:
                    await asyncio.sleep(_LOOK_S)
                    missing = what_is_missing(
                        self.plan.nodes, await plane.nodes(), await plane.bundle()
                    )
        except TimeoutError:
            raise ChildFailed(
                f"the world was not whole within {SEEN_S:g} s: {', '.join(missing)}"
            ) from None
        except ClientError as error:
            raise ChildFailed(f"the control plane does not answer: {error}") from error

    async def _watch(self, child: Child) -> None:
        failure = await child.ended()
        if not (child.asked or self._stopping or self._failed.done()):
            self._failed.set_result(failure)

    async def _watch_bus(self, server: NatsServer) -> None:
        code = await server.ended()
        if not (self._stopping or self._failed.done()):
            self._failed.set_result(
                ChildFailed(
                    f"the message bus {server.name} ended ({in_words(code)}); its log, "
                    f"{server.log}, ended:\n{server.last_words()}"
                )
            )

    async def or_failure(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result, unless a part that is there already ends meanwhile."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(work)
        either: list[asyncio.Future[Any]] = [task, self._failed]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done() and not task.done():
                raise self._failed.result()
            return await task
        except BaseExceptionGroup as group:
            raise _first(group) from group
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _written_down(self) -> None:
        write_down(self.plan.home, self.processes())

    def _say(self, name: str, what: str, begun_s: float) -> None:
        took_s = asyncio.get_running_loop().time() - begun_s
        self._tell(name, f"{what}  ({took_s:.1f} s)")

    def _state(self, name: str) -> Path:
        return self.plan.home.run / name

    def _child(self, name: str) -> Child:
        return Child(name, self.plan.home.logs / f"{name}.log", self.plan.child_environ())

    def _as_file(self, control: str, took_s: float) -> WorldFile:
        home, buses = self.plan.home, self._buses
        return WorldFile(
            name=self.plan.name,
            folder=str(home.folder),
            pid=os.getpid(),
            control=control,
            control_pid=self.control.pid or 0,
            key_file=str(self._state("control") / "caller.key"),
            operator_key_file=str(self._state("control") / "operator.key"),
            nodes=tuple(
                NodeFile(node.name, node.region, node.url, node.child.pid or 0)
                for node in self.nodes.values()
            ),
            buses=tuple(BusFile(one.name, one.url, one.pid or 0) for one in self._buses.servers),
            logs=str(home.logs),
            bus_operator_seed_file=str(self._buses.operator_seed_file),
            stores=tuple(
                StoreFile(region, buses.leaf(region).url, str(buses.custodian_seed_file(region)))
                for region in dict.fromkeys(self.plan.regions)
            ),
            streams_per_node=self.plan.streams_per_node,
            took_s=took_s,
        )


def regions_of(plan: Plan) -> World:
    """The regions file's content. Raises RegionUnknown, RegionsRefused."""
    world = load_world(plan.regions_file or default_world_path())
    for region in plan.regions:
        if region not in world.regions:
            raise RegionUnknown(
                f"region {region!r} is unknown: choose of {', '.join(world.regions)}"
            )
    return world


@asynccontextmanager
async def local_world(
    plan: Plan, tell: Tell, begun: Callable[["LocalWorld"], object] = lambda _: None
) -> AsyncIterator[LocalWorld]:
    """A world from its start to its end; nothing of it is left but logs and what was measured.

    Args:
        plan: what is wanted.
        tell: hears of each part as it comes.
        begun: gets the world before it is ready, for whoever may have to cut it short.

    Raises:
        WorldHeld: another world lives in the folder.
        RegionUnknown, RegionsRefused: regions that there are not.
        ChildFailed, NatsFailed, OSError: it did not start.
    """
    with held(plan.home):
        if left := await clean_up(plan.home):
            tell("cleaned up", f"{len(left)} processes that an earlier world had left running")
        plan.home.run.mkdir(mode=0o700)
        _empty(plan.home.logs)
        try:
            world = LocalWorld(plan, tell)
            begun(world)
            try:
                await world.start()
                yield world
            finally:
                await asyncio.shield(world.stop())
        finally:
            plan.home.file.unlink(missing_ok=True)
            shutil.rmtree(plan.home.run)


def _plane(url: str, key_file: Path) -> ControlPlane:
    return ControlPlane(url, key_file.read_text(encoding="ascii").strip(), proxy=None)


def _empty(logs: Path) -> None:
    logs.mkdir(exist_ok=True, mode=0o700)
    for log in logs.glob("*.log"):
        log.unlink()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
