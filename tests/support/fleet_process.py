"""A real nats-server and real nodes of a fleet; the centre is what the test writes."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from heliovox.local.nats_process import NatsServer, nats_server_binary
from shared import subjects
from shared.bus import Stream
from shared.bus.nats_bus import NatsBus
from shared.credentials import new_seed, write_seed
from tests.support.fleet import FakeCentre

ROOT = Path(__file__).parents[2]
READY_S = 60.0


@dataclass
class Fleet:
    """One server for all, and a centre on it."""

    server: NatsServer
    config: str
    centre: FakeCentre
    folder: Path
    seeds: dict[str, Path]

    async def restart_server(self) -> None:
        """On the same port."""
        await self.server.start(self.config.replace("port: -1", f"port: {self.server.port}"))

    async def end_server(self) -> None:
        await self.server.stop()


@asynccontextmanager
async def running_fleet(folder: Path, *nodes: str, **keys: tuple[str, ...]) -> AsyncIterator[Fleet]:
    """Up to the centre; `node` starts the nodes."""
    seeds: dict[str, Path] = {}
    users = []
    for name in ("centre", *nodes):
        seed = new_seed()
        users.append(f"{{nkey: {seed.public_key}}}")
        seeds[name] = folder / f"{name}.seed"
        write_seed(seeds[name], seed)
    config = (
        f'host: 127.0.0.1\nport: -1\njetstream {{store_dir: "{folder / "jetstream"}"}}\n'
        f"authorization {{users: [{', '.join(users)}]}}\n"
    )
    (folder / "nats").mkdir()
    server = NatsServer("all", folder / "nats", nats_server_binary())
    await server.start(config)
    try:
        bus = await NatsBus.connect(
            server.url, seeds["centre"], name="centre", inbox_prefix="_INBOX.centre"
        )
        try:
            await bus.ensure_stream(Stream("NOTES", 1 << 24, (subjects.NOTES,)))
            centre = FakeCentre(bus, dict(keys))
            await centre.listen()
            yield Fleet(server, config, centre, folder, seeds)
        finally:
            await bus.close()
    finally:
        await server.stop()


@dataclass
class NodeProcess:
    """A node that listens; what tests ask a FakeCentre about it."""

    process: Process
    name: str
    region: str
    url: str
    boot: str
    log: Path

    @property
    def stream_url(self) -> str:
        return self.url.replace("http", "ws") + "/v1/stream"

    def call(self, *, key: str | None = None, ticket: str | None = None) -> Any:
        shown = f"Bearer {key}" if key else f"Ticket {ticket}" if ticket else None
        return connect(
            self.stream_url,
            additional_headers={"Authorization": shown} if shown else {},
            subprotocols=[Subprotocol("heliovox.v1")],
            compression=None,
            proxy=None,
        )

    async def stop(self, number: int = signal.SIGTERM) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(READY_S):
            return await self.process.wait()

    def complaints(self) -> list[str]:
        lines = self.log.read_text().splitlines()
        return [line for line in lines if "Traceback" in line or " ERROR " in line]


@asynccontextmanager
async def node_process(
    fleet: Fleet, name: str, region: str = "eu-central", **settings: Any
) -> AsyncIterator[NodeProcess]:
    """A node of the fleet with the scripted recogniser; killed at the latest at the end."""
    folder = fleet.folder / name
    folder.mkdir(exist_ok=True)
    config = folder / "edge.yaml"
    given = {
        "node_id": name,
        "region": region,
        "recogniser": "scripted",
        "state_dir": str(folder / "state"),
        "port": 0,
        "bus": {"url": fleet.server.url, "seed_file": str(fleet.seeds[name])},
        "centre": {"public_key_file": str(fleet.centre.public_key_file(folder))},
        "capacity": {"cache_dir": str(fleet.folder / "cache")},
    }
    config.write_text(yaml.safe_dump(given | settings))
    log = folder / "node.log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}  # noqa: TID251
    command = [sys.executable, "-m", "edge_node", "serve", "--json", "--config", str(config)]
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=PIPE, stderr=errors
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await process.stdout.readline()
        assert line, log.read_text()
        said = json.loads(line)
        assert said["event"] == "ready"
        boot = "" if fleet.server.pid is None else await _boot(fleet.centre, name)
        yield NodeProcess(process, name, region, said["url"], boot, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _boot(centre: FakeCentre, name: str) -> str:
    return (await centre.report(lambda report: report.node == name)).boot
