"""A real hub, a real leaf for each region, real control planes, and nodes scripted on the bus."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from heliovox.local.nats_process import NatsServer, nats_server_binary
from shared import nats_config
from shared.bus.nats_bus import NatsBus
from shared.credentials import Seed, ensure_seed
from shared.nats_config import Fleet, Identity, Regional, Server, Uplink
from shared.tasks import Tasks
from tests.support.fake_node import FakeNode

ROOT = Path(__file__).parents[2]
READY_S = 40.0
STOP_S = 20.0
NODES = {"eu-central": ("c-1", "c-2", "c-3"), "eu-west": ("w-1", "w-2")}
"""Who may connect, by region."""
PLANES = ("p-1", "p-2")
PARIS = {"place": {"lat": 48.85, "lon": 2.35}, "policy": "eu-only"}


@dataclass
class Plane:
    """One control plane that runs as a process of its own."""

    name: str
    folder: Path
    process: Process
    url: str
    keys: Path
    """The folder of the hub's first keys."""

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def key(self, name: str = "caller") -> str:
        return (self.keys / f"{name}.key").read_text().strip()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: str | None = None,
        prefer: str = "",
        **more: Any,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key() if key is None else key}"}
        headers |= {"Prefer": prefer} if prefer else {}
        async with httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False) as client:
            return await client.request(method, path, json=body, headers=headers, **more)

    async def place(self, **more: Any) -> httpx.Response:
        return await self.ask("POST", "/v1/sessions", PARIS | more)

    async def why(self, decision: str) -> Any:
        """A decision as operators read it."""
        path = f"/v1/decisions/{decision}"
        return (await self.ask("GET", path, key=self.key("operator"))).json()

    async def metric(self, name: str, label: str = "") -> float:
        """The sum of a metric over the labels that hold `label`."""
        text = (await self.ask("GET", "/metrics")).text
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.split("{")[0].split(" ")[0] == f"heliovox_control_{name}" and label in line
        )

    async def nodes(self) -> dict[str, str]:
        """States by name."""
        listed = (await self.ask("GET", "/v1/nodes")).json()
        return {one["node"]: one["state"] for one in listed}

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(STOP_S):
            return await self.process.wait()

    def complaints(self) -> list[str]:
        """Log lines that a well-behaved control plane does not write."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if "Traceback" in line or " ERROR " in line]


@dataclass
class Centre:
    """Servers, identities, and what was started on them."""

    folder: Path
    hub: NatsServer = field(init=False)
    leaves: dict[str, NatsServer] = field(init=False, default_factory=dict)
    planes: list[Plane] = field(init=False, default_factory=list)
    tasks: Tasks = field(init=False, default_factory=Tasks)
    links: dict[str, str] = field(init=False, default_factory=dict)
    """Regions whose leaf reaches the hub some other way: its URL."""
    _buses: list[NatsBus] = field(init=False, default_factory=list)

    def seed_file(self, name: str) -> Path:
        return self.folder / "seeds" / f"{name}.nk"

    def _seed(self, name: str) -> Seed:
        return ensure_seed(self.seed_file(name))

    def _public(self, name: str) -> str:
        return self._seed(name).public_key

    def fleet(self) -> Fleet:
        names = [(region, node) for region, nodes in NODES.items() for node in nodes]
        return Fleet(
            regions=tuple(NODES),
            nodes=tuple(Regional(r, n, self._public(f"{r}-{n}")) for r, n in names),
            planes=tuple(Identity(name, self._public(name)) for name in PLANES),
            leaves=tuple(Regional(r, r, self._public(f"leaf-{r}")) for r in NODES),
        )

    async def start_far(self, reach: Callable[[int], Awaitable[int]]) -> "Centre":
        """Likewise, each region behind a link of its own.

        Args:
            reach: told a port of the hub, opens a link to it; returns where the link begins.
        """
        self.hub = NatsServer("centre", self._made("hub"), nats_server_binary())
        await self.start_hub()
        for region in NODES:
            here = await reach(self.hub.leaf_port)
            self.links[region] = f"nats-leaf://127.0.0.1:{here}"
        return await self.start()

    async def start(self) -> "Centre":
        """The servers, linked."""
        binary = nats_server_binary()
        if not hasattr(self, "hub"):
            self.hub = NatsServer("centre", self._made("hub"), binary)
            await self.start_hub()
        for region in NODES:
            self.leaves[region] = NatsServer(region, self._made(f"leaf-{region}"), binary)
            await self.start_leaf(region)
        return self

    async def start_hub(self) -> None:
        """Again on the same ports, if it ran before."""
        server = Server(
            str(self.hub.folder / "js"), port=self.hub.port, leaf_port=self.hub.leaf_port
        )
        await self.hub.start(nats_config.hub_config(self.fleet(), server))

    async def start_leaf(self, region: str) -> None:
        leaf = self.leaves[region]
        secret = leaf.folder / "secret.conf"
        secret.write_text(nats_config.leaf_secret(self._seed(f"leaf-{region}").reveal()))
        server = Server(str(leaf.folder / "js"), port=leaf.port)
        uplink = Uplink(self.links.get(region, self.hub.leaf_url), "secret.conf")
        await leaf.start(nats_config.leaf_config(self.fleet(), region, server, uplink))

    async def bus(self, region: str, node: str) -> NatsBus:
        """A node's connection to its region's server."""
        bus = await NatsBus.connect(
            self.leaves[region].url,
            self.seed_file(f"{region}-{node}"),
            name=node,
            inbox_prefix=f"_INBOX.{node}",
        )
        self._buses.append(bus)
        return bus

    async def node(self, region: str, name: str, **options: Any) -> FakeNode:
        """A scripted node that reports once a second."""
        node = await FakeNode(await self.bus(region, name), region, name, **options).begin()
        node.life = self.tasks.begin(node.reporting(), f"reports of {name}")
        return node

    async def plane(self, name: str = "p-1", **settings: Any) -> Plane:
        """A control plane that is ready to be asked."""
        folder = self._made(name)
        given: dict[str, Any] = {
            "plane_id": name,
            "port": 0,
            "state_dir": str(folder),
            "signing_key_file": str(self.folder / "signing.pem"),
            "bus": {"url": self.hub.url, "seed_file": str(self.seed_file(name))},
        }
        (folder / "control.yaml").write_text(yaml.safe_dump(given | settings))
        with (folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "control_plane", "serve", "--json"),
                *("--config", str(folder / "control.yaml")),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},  # noqa: TID251
                stdout=PIPE,
                stderr=log,
            )
        keys = self.planes[0].folder if self.planes else folder
        plane = Plane(name, folder, process, await _url(process, folder / "log"), keys)
        self.planes.append(plane)
        return plane

    def public_key(self) -> Ed25519PublicKey:
        """As nodes have it: from the file beside the signing key."""
        key = load_pem_public_key((self.folder / "signing.pub.pem").read_bytes())
        assert isinstance(key, Ed25519PublicKey)
        return key

    async def stop(self) -> None:
        """Everything, whatever state it is in."""
        await self.tasks.end()
        for bus in self._buses:
            await bus.close()
        for plane in self.planes:
            if plane.process.returncode is None:
                plane.process.kill()
                await plane.process.wait()
        for server in [*self.leaves.values(), self.hub]:
            await server.stop()

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


async def _url(process: Process, log: Path) -> str:
    """Where it says that it is ready."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_S):
            async for line in process.stdout:
                said = json.loads(line)
                if said["event"] == "ready":
                    return str(said["url"])
    except TimeoutError:
        pass
    raise AssertionError(f"the control plane did not start: {_text(log)}")


def _text(log: Path) -> str:
    return log.read_text()


async def until(holds: Callable[[], Awaitable[Any]], limit_s: float = 20.0) -> None:
    """Waits for what others have yet to do."""
    async with asyncio.timeout(limit_s):
        while not await holds():  # noqa: ASYNC110 another process has no event for it
            await asyncio.sleep(0.05)
