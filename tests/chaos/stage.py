"""The world that is hurt: a node each in three regions and a second one, every way to it a link."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from heliovox.client.client import Client
from heliovox.client.control import ControlPlane
from heliovox.local.home import Home
from heliovox.local.nats_world import HUB
from heliovox.local.world.settings import Plan
from heliovox.local.world.world import LocalWorld, local_world
from tests.chaos.links import Link, link

REGIONS = ("eu-central", "eu-central", "eu-west", "us-east")
NAMES = ("eu-central-1", "eu-central-2", "eu-west-1", "us-east-1")
CONTROL = "control"


class Stage:
    """Does to the world what a fault says, and takes it back."""

    def __init__(self, world: LocalWorld, links: Mapping[str, Link]) -> None:
        self.world, self.links = world, links
        self._idle: list[ClientConnection] = []

    @property
    def client(self) -> Client:
        """A caller's way in."""
        assert self.world.file is not None
        return Client(control=self.world.file.control, key=self.world.caller_key, proxy=None)

    def straight(self, node: str) -> Client:
        """A caller who goes to a node with nothing but a key."""
        url = f"ws://127.0.0.1:{self.links[node].port}"
        return Client(url, self.world.caller_key, proxy=None)

    @property
    def operator(self) -> ControlPlane:
        """Who moves sessions."""
        return self.world.operator

    async def kill_node(self, node: str, lasts_s: float) -> None:
        """kill -9; then it is started again."""
        await self.world.kill(node)
        await asyncio.sleep(lasts_s)
        await self.node_again(node)

    async def stop_node(self, node: str, lasts_s: float) -> None:
        """SIGTERM, as before an upgrade: its sessions are moved; then it is started again."""
        await self.world.nodes[node].child.stop()
        await asyncio.sleep(lasts_s)
        await self.node_again(node)

    async def hang_node(self, node: str, lasts_s: float) -> None:
        """SIGSTOP: it holds its connections, and says nothing."""
        pid = self.world.nodes[node].child.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(lasts_s)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def cut_link(self, node: str, lasts_s: float) -> None:
        """Nothing passes between callers and the node, and nobody is told."""
        self.links[node].cut()
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self.links[node].heal()

    async def slow_link(self, node: str, lasts_s: float) -> None:
        """A link that loses nothing and takes its time."""
        self.links[node].delay_s = 0.15
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self.links[node].delay_s = 0.0

    async def full_node(self, node: str, lasts_s: float) -> None:
        """Where callers of the node would go next is full, and then it dies."""
        other = next(name for name in NAMES[:2] if name != node)
        await self._fill(other)
        try:
            await self.kill_node(node, lasts_s)
        finally:
            await self.empty()

    async def kill_bus(self, node: str, lasts_s: float) -> None:
        """The centre's bus dies, and every connection to the node breaks."""
        await self._without(HUB, node, lasts_s)

    async def kill_control(self, node: str, lasts_s: float) -> None:
        """The control plane dies, likewise."""
        await self._without(CONTROL, node, lasts_s)

    async def _without(self, what: str, node: str, lasts_s: float) -> None:
        await self.world.kill(what)
        try:
            self.links[node].reset()
            await asyncio.sleep(lasts_s)
        finally:
            await self.world.start_again(what)

    async def move(self, sessions: Mapping[str, str]) -> None:
        """All of them at once, wherever the control plane finds a seat."""
        async with asyncio.TaskGroup() as group:
            for session in sessions.values():
                group.create_task(self.operator.move(session), name=f"move {session}")

    async def node_again(self, node: str) -> None:
        """A node that was killed is started, and its link leads to it."""
        await self.world.start_again(node)
        self.links[node].node_port = _port(self.world.nodes[node].url)

    async def _fill(self, node: str) -> None:
        """Idle callers who do not follow redirects, until the next one would be passed on."""
        url = f"ws://127.0.0.1:{self.links[node].port}/v1/stream"
        headers = {"Authorization": f"Bearer {self.world.caller_key}"}
        start = json.dumps({"type": "start", "policy": "anywhere"})
        while True:
            socket = await connect(url, additional_headers=headers, proxy=None)
            self._idle.append(socket)
            await socket.send(start)
            said = json.loads(await socket.recv())
            if said["type"] != "started" or said.get("relayed_by") or said["node"] != node:
                await self._idle.pop().close()
                return

    async def empty(self) -> None:
        """The idle callers go."""
        idle, self._idle = self._idle, []
        for one in idle:
            with suppress(WebSocketException, OSError):
                await one.close()


@asynccontextmanager
async def stage(
    folder: Path, streams_per_node: int, recogniser: str | None, tell: Callable[[str, str], None]
) -> AsyncIterator[Stage]:
    """A world with a link before every node."""
    async with AsyncExitStack() as stack:
        links = {name: await stack.enter_async_context(link()) for name in NAMES}
        plan = Plan(
            home=Home(folder),
            environ=os.environ,
            regions=REGIONS,
            port=_free_port(),
            streams_per_node=streams_per_node,
            recogniser=recogniser,
            log_level="warning",
            public_urls={name: f"ws://127.0.0.1:{one.port}" for name, one in links.items()},
        )
        world = await stack.enter_async_context(local_world(plan, tell))
        for name, one in links.items():
            one.node_port = _port(world.nodes[name].url)
        found = Stage(world, links)
        try:
            yield found
        finally:
            await found.empty()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _free_port() -> int:
    """Of the control plane: it comes back where callers know it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
