"""Admissions a second: one or two control planes, nodes that grant seats, callers without a pause.

Servers, nodes and callers are processes on the same machine and take their part of it; what a
control plane alone costs is said beside what the machine reached.
"""

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heliovox.local.nats_process import NatsServer, nats_server_binary
from tests.benchmarks.bench_control import HUB, ready_url
from tests.benchmarks.figures import Figure, cpu_s

SEATS = 60_000
"""Of all nodes together; far more than callers come."""
CONNECTIONS = 64
SETTLED_S = 4.0
FLEETS = (50, 1000)


@dataclass
class Stage:
    """Everything that runs."""

    planes: list[Process]
    server: NatsServer
    nodes: Process
    callers: Process


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _stage(folder: Path, planes: int, nodes: int) -> AsyncIterator[Stage]:
    server = NatsServer("centre", folder, nats_server_binary())
    await server.start(HUB.format(port=-1, store=folder / "js"))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        running, urls = [], []
        for number in range(1, planes + 1):
            config = folder / f"p-{number}.yaml"
            settings = {
                "plane_id": f"p-{number}",
                "port": 0,
                "state_dir": str(folder / f"p-{number}"),
                "signing_key_file": str(folder / "signing.pem"),
                "bus": {"url": server.url},
            }
            config.write_text(json.dumps(settings))  # JSON is YAML
            plane = await stack.enter_async_context(
                _process("control_plane", "serve", "--json", "--config", str(config))
            )
            running.append(plane)
            urls.append(await ready_url(plane))
        crowd = await stack.enter_async_context(_process(
            *("tests.benchmarks.crowd", "--port", str(server.port), "--nodes", str(nodes)),
            *("--seats", str(SEATS * 2 // nodes)),
        ))  # fmt: skip
        await _line(crowd)
        callers = await stack.enter_async_context(
            _process("tests.benchmarks.closed_loop", *urls, "--connections", str(CONNECTIONS))
        )
        assert callers.stdin is not None
        callers.stdin.write((folder / "p-1" / "caller.key").read_bytes().strip() + b"\n")
        await _line(callers)
        await asyncio.sleep(SETTLED_S)
        yield Stage(running, server, crowd, callers)


async def _line(process: Process) -> bytes:
    assert process.stdout is not None
    if line := await process.stdout.readline():
        return line
    raise RuntimeError("a process ended before its time")


async def _round(stage: Stage, seconds: float) -> dict[str, float]:
    assert stage.callers.stdin is not None
    assert stage.server.pid is not None
    pids = {
        "plane": [plane.pid for plane in stage.planes],
        "server": [stage.server.pid],
        "nodes": [stage.nodes.pid],
        "callers": [stage.callers.pid],
    }
    before = {name: sum(map(cpu_s, ids)) for name, ids in pids.items()}
    stage.callers.stdin.write(f"{seconds}\n".encode())
    said: dict[str, Any] = json.loads(await _line(stage.callers))
    statuses = said["statuses"]
    if set(statuses) != {"201"}:
        raise RuntimeError(f"not all were placed: {statuses}")
    count = statuses["201"]
    found = {"per_s": count / said["seconds"], "p50": said["p50_ms"], "p95": said["p95_ms"]}
    for name, ids in pids.items():
        found[name] = 1000 * (sum(map(cpu_s, ids)) - before[name]) / count
    return found


async def _measure(rounds: int, seconds: float) -> list[Figure]:
    figures: list[Figure] = []
    for nodes in FLEETS:
        for planes in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                async with _stage(Path(folder), planes, nodes) as stage:
                    await _round(stage, 2.0)
                    found = [await _round(stage, seconds) for _ in range(rounds)]
            figures += _figures(planes, nodes, found)
    return figures


def _figures(planes: int, nodes: int, found: list[dict[str, float]]) -> Iterator[Figure]:
    def rounds(name: str) -> tuple[float, ...]:
        return tuple(one[name] for one in found)

    what = f"{planes} control plane{'s' * (planes > 1)}, {nodes} nodes"
    yield Figure(f"{what}: admissions, all on this machine", "/s", rounds("per_s"))
    yield Figure(f"{what}: p50", "ms", rounds("p50"))
    yield Figure(f"{what}: p95", "ms", rounds("p95"))
    for name in ("plane", "server", "nodes", "callers"):
        yield Figure(f"{what}: CPU of {name}", "ms each", rounds(name))
    a_core = tuple(1000 / one["plane"] for one in found)
    yield Figure(f"{what}: control plane, on a core alone", "/s", a_core)


def run(rounds: int, seconds: float) -> list[Figure]:
    """Every fleet with one control plane and with two."""
    return asyncio.run(_measure(rounds, seconds))
