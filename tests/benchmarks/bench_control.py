"""A control plane and a nats-server with 1,000 nodes that report at 1 Hz, as processes.

Callers come at 100 a second whatever becomes of those before (an open loop): a request's time
counts from when it was due. A report's effect is seen by asking, one request after the other.
"""

import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from heliovox.local.nats_process import NatsServer, nats_server_binary
from shared.bus.nats_bus import NatsBus
from shared.capacity import CapacityReport, KindRoom
from shared.subjects import report
from tests.benchmarks.crowd import LEFT_OUT
from tests.benchmarks.figures import Figure, cpu_s, percentile, rss_kib

NODES = 1000
PER_S = 100
CONNECTIONS = 32
FLIPS_PER_S = 2
HUB = """
server_name: centre
host: 127.0.0.1
port: {port}
jetstream {{ store_dir: "{store}", domain: centre }}
"""
CALLERS = [(48.85, 2.35), (19.07, 72.87), (-23.55, -46.63), (40.71, -74.0), (35.68, 139.69)]


@dataclass
class Running:
    """What is measured."""

    plane: Process
    server: NatsServer
    url: str
    key: str


class Http:
    """One kept-alive connection, with as little of HTTP as it takes."""

    def __init__(self, at: Running) -> None:
        self._at = at
        self._host = urlsplit(at.url)

    async def open(self) -> "Http":
        self._reader, self._writer = await asyncio.open_connection(
            self._host.hostname, self._host.port
        )
        return self

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {self._at.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        status = int((await self._reader.readline()).split()[1])
        length = 0
        while (line := await self._reader.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, await self._reader.readexactly(length)


async def _callers(at: Running, seconds: float) -> list[float]:
    """What each request took, in ms, from when it was due. Raises where one was not placed."""
    free: asyncio.Queue[Http] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Http(at).open())
    took_ms: list[float] = []

    async def one(due_s: float, number: int) -> None:
        lat, lon = CALLERS[number % len(CALLERS)]
        body = json.dumps({"place": {"lat": lat, "lon": lon}}).encode()
        http = await free.get()
        status, said = await http.ask("POST", "/v1/sessions", body)
        free.put_nowait(http)
        if status != 201:
            raise RuntimeError(f"not placed: {said.decode()}")
        took_ms.append(1000 * (time.monotonic() - due_s))

    async with asyncio.TaskGroup() as group:
        began_s = time.monotonic()
        for number in range(int(PER_S * seconds)):
            due_s = began_s + number / PER_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            group.create_task(one(due_s, number))
    return took_ms


class Flips:
    """The only node of a region that changes its mind: has room, has none."""

    def __init__(self, bus: NatsBus) -> None:
        self._bus, self._seq, self.room = bus, 0, False

    async def say(self) -> None:
        """Reports."""
        self._seq += 1
        said = CapacityReport(
            node="flips",
            region=LEFT_OUT,
            boot="b1",
            seq=self._seq,
            at_ms=round(time.time() * 1000),
            url="ws://127.0.0.1:9/flips",
            version="bench",
            kinds={"recognition": KindRoom(0, 5 if self.room else 0)},
            limit=5,
            languages=("en",),
        )
        await self._bus.publish(report(LEFT_OUT, "flips"), msgspec.json.encode(said))


async def _effects(at: Running, flips: Flips, seconds: float) -> list[float]:
    """From a report's sending to the first answer that follows it, in ms."""
    http = await Http(at).open()
    effect_ms: list[float] = []
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        flips.room = not flips.room
        said_s = time.monotonic()
        await flips.say()
        while True:
            status, _ = await http.ask("GET", "/v1/nearest?country=SA&policy=ksa-only")
            if (status == 200) == flips.room:
                break
        effect_ms.append(1000 * (time.monotonic() - said_s))
        await asyncio.sleep(1 / FLIPS_PER_S)
    return effect_ms


async def _cpu(at: Running, seconds: float) -> tuple[float, float]:
    """Percent of a core that centre and server take."""
    assert at.server.pid is not None
    pids = at.plane.pid, at.server.pid
    before, began_s = [cpu_s(pid) for pid in pids], time.monotonic()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - began_s
    plane, server = (
        100 * (cpu_s(pid) - was) / took_s for pid, was in zip(pids, before, strict=True)
    )
    return plane, server


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[Running]:
    server = NatsServer("centre", folder, nats_server_binary())
    await server.start(HUB.format(port=-1, store=folder / "js"))
    command = [sys.executable, "-m", "control_plane", "serve", "--json", "--port", "0"]
    command += ["--bus-url", server.url, "--state-dir", str(folder), "--plane-id", "bench"]
    crowd = [sys.executable, "-m", "tests.benchmarks.crowd", "--port", str(server.port)]
    plane = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
    nodes = await asyncio.create_subprocess_exec(*crowd, "--nodes", str(NODES), stdout=PIPE)
    try:
        url = await ready_url(plane)
        assert nodes.stdout is not None
        await nodes.stdout.readline()
        yield Running(plane, server, url, (folder / "caller.key").read_text().strip())
    finally:
        for process in (nodes, plane):
            process.terminate()
            await process.wait()
        await server.stop()


async def ready_url(plane: Process) -> str:
    assert plane.stdout is not None
    async for line in plane.stdout:
        said: dict[str, Any] = json.loads(line)
        if said["event"] == "ready":
            return str(said["url"])
    raise RuntimeError("the control plane did not start")


async def _measure(rounds: int, seconds: float) -> list[Figure]:
    kinds = "p50", "p95", "effect50", "effect99", "plane", "server", "loaded", "loaded server"
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        async with _running(Path(folder)) as at:
            bus = await NatsBus.connect(at.server.url, None, name="b", inbox_prefix="_INBOX.b")
            flips = Flips(bus)
            await flips.say()
            await asyncio.sleep(4)  # the fleet is settled, every node has reported
            await _callers(at, 1.0)
            for _ in range(rounds):
                plane, server = await _cpu(at, seconds)
                found["plane"].append(plane)
                found["server"].append(server)
                took_ms, effect_ms, (loaded, loaded_server) = await asyncio.gather(
                    _callers(at, seconds), _effects(at, flips, seconds), _cpu(at, seconds)
                )
                found["loaded"].append(loaded)
                found["loaded server"].append(loaded_server)
                found["p50"].append(percentile(took_ms, 0.5))
                found["p95"].append(percentile(took_ms, 0.95))
                found["effect50"].append(percentile(effect_ms, 0.5))
                found["effect99"].append(percentile(effect_ms, 0.99))
            memory = rss_kib(at.plane.pid) / 1024
            await bus.close()
    return list(_figures({kind: tuple(values) for kind, values in found.items()}, memory))


def _figures(found: dict[str, tuple[float, ...]], memory: float) -> Iterator[Figure]:
    what = f"POST /v1/sessions, {PER_S}/s, {NODES} nodes"
    yield Figure(f"{what}: p50", "ms", found["p50"])
    yield Figure(f"{what}: p95", "ms", found["p95"], 50)
    yield Figure("report to routing effect beside it: median", "ms", found["effect50"], 250)
    yield Figure("report to routing effect beside it: p99", "ms", found["effect99"], 1000)
    yield Figure(f"control plane, {NODES} nodes at 1 Hz", "% of core", found["plane"])
    yield Figure(f"nats-server, {NODES} nodes at 1 Hz", "% of core", found["server"])
    yield Figure(f"control plane, and {PER_S} callers/s", "% of core", found["loaded"])
    yield Figure(f"nats-server, and {PER_S} callers/s", "% of core", found["loaded server"])
    yield Figure("control plane, resident", "MiB", (memory,))


def run(rounds: int, seconds: float) -> list[Figure]:
    """Starts everything once, and takes all figures in every round."""
    return asyncio.run(_measure(rounds, seconds))
