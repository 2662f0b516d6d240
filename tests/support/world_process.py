"""`heliovox up` as a process, and what it leaves behind."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from heliovox.local.world.leftovers import born

ROOT = Path(__file__).parents[2]
LIMIT_S = 90.0


@dataclass
class World:
    """A world that said that it is ready, or one that ended before."""

    process: Process
    home: Path
    ready: dict[str, Any]

    @property
    def pids(self) -> dict[str, int]:
        buses = {f"bus {bus['name']}": bus["pid"] for bus in self.ready["buses"]}
        nodes = {node["node"]: node["pid"] for node in self.ready["nodes"]}
        return {"control": self.ready["control_pid"], **buses, **nodes}

    @property
    def ports(self) -> list[int]:
        urls = [self.ready["control"]]
        urls += [one["url"] for one in [*self.ready["nodes"], *self.ready["buses"]]]
        return [port for url in urls if (port := urlsplit(url).port)]

    async def ended(self) -> tuple[int | None, str, str]:
        """Exit code and the rest of what it printed."""
        async with asyncio.timeout(LIMIT_S):
            output, errors = await self.process.communicate()
        return self.process.returncode, output.decode(), errors.decode()

    async def end(self, number: int = signal.SIGINT) -> tuple[int | None, str, str]:
        self.process.send_signal(number)
        return await self.ended()

    def left(self) -> list[str]:
        """Processes, ports and files that are still there."""
        living = [name for name, pid in self.pids.items() if born(pid)]
        ports = [f"port {port}" for port in self.ports if answers(port)]
        files = [path.name for path in self.home.iterdir() if path.name not in {"logs", "cache"}]
        return [*living, *ports, *files]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def up(home: Path, *arguments: str, scripted: bool = True) -> Process:
    """Only starts it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliovox.cli", "up", *arguments),
        *(("--recogniser", "scripted") if scripted else ()),
        cwd=ROOT,
        env=environment(home),
        stdout=PIPE,
        stderr=PIPE,
    )


def environment(home: Path) -> dict[str, str]:
    ours = {"HELIOVOX_HOME": str(home), "PYTHONPATH": str(ROOT), "no_proxy": "*"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HELIOVOX_")}  # noqa: TID251
    return kept | ours


async def heliovox(home: Path, *arguments: str) -> tuple[int | None, str, str]:
    """A command in the environment of a world."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliovox.cli", *arguments),
        cwd=ROOT,
        env=environment(home),
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def world(home: Path, *arguments: str, folder: Path | None = None) -> AsyncIterator[World]:
    """A world that is ready; taken down at the latest at the end."""
    process = await up(home, *arguments, "--json", "--streams-per-node", "2")
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            line = await process.stdout.readline()
        assert line, (await process.communicate())[1].decode()
        yield World(process, folder or home, json.loads(line))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(LIMIT_S):
                await process.communicate()
