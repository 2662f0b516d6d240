"""A thousand nodes in one process: each its own connection, reports as a node sends them, seats.

They speak NATS by themselves, a few lines of it, so that what is measured is not their library.
`python -m tests.benchmarks.crowd --port P --nodes N` says `ready` and goes on until it is ended.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from itertools import cycle

import msgspec
import uvloop

from shared.capacity import CapacityReport, KindRoom
from shared.exchange import Reserve, Reserved
from shared.regions.file import default_world_path, load_world
from shared.subjects import report, reserve

SEATS = 64
"""Of each, unless it is said otherwise."""
CLOSEST_S = 0.05
"""Between two reports, however much changes meanwhile (`edge_node/capacity/reports.py`)."""
LEFT_OUT = "me-central"
"""The benchmark's own node stands there."""


class Node:
    """One node on one connection."""

    def __init__(self, name: str, region: str, seats: int, period_s: float) -> None:
        self.name, self.region, self.seats, self._period_s = name, region, seats, period_s
        self.held = self.seq = 0
        self._loop = asyncio.get_running_loop()
        self._said_s = 0.0
        self._next: asyncio.TimerHandle | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, port: int) -> asyncio.StreamReader:
        """Greets, and listens for those who want seats."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        subject = reserve(self.region, self.name)
        greeting = {"verbose": False, "pedantic": False, "lang": "bench", "version": "1"}
        self._write(f"CONNECT {json.dumps(greeting)}\r\nSUB {subject} 1\r\n".encode())
        return reader

    def begin(self) -> None:
        """Reports now, and then at some moment of every period, like nodes that know no other."""
        self.report()
        self._due(self._said_s + random.random() * self._period_s)

    def report(self) -> None:
        """Says how it is: a period after the last time, or soon after something changed."""
        self._said_s = self._loop.time()
        self._due(self._said_s + self._period_s)
        self.seq += 1
        room = KindRoom(self.held, self.seats - self.held)
        said = CapacityReport(
            node=self.name,
            region=self.region,
            boot="b1",
            seq=self.seq,
            at_ms=round(time.time() * 1000),
            url=f"ws://127.0.0.1:9/{self.name}",
            version="bench",
            kinds={"recognition": room, "synthesis": room},
            limit=self.seats,
            languages=("en",),
            models=("stt-en-telephone",),
            step_p50_ms=4.0,
            step_p95_ms=9.0 + random.random(),
        )
        self._publish(report(self.region, self.name), msgspec.json.encode(said))

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Answers until the connection ends."""
        while line := await reader.readline():
            words = line.split()
            if words[0] == b"PING":
                self._write(b"PONG\r\n")
            elif words[0] == b"MSG":
                data = await reader.readexactly(int(words[-1]) + 2)
                self._grant(words[3].decode(), data[:-2])

    def _grant(self, reply: str, data: bytes) -> None:
        wanted = msgspec.json.decode(data, type=Reserve)
        granted = self.held < self.seats
        if granted:
            self.held += 1
            self._due(max(self._loop.time(), self._said_s + CLOSEST_S))
        code = None if granted else "node_full"
        answer = Reserved(
            granted, self.name, "b1", wanted.ttl_s, code, held=self.held, limit=self.seats
        )
        self._publish(reply, msgspec.json.encode(answer))

    def _due(self, at_s: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_at(at_s, self.report)

    def _publish(self, subject: str, data: bytes) -> None:
        self._write(f"PUB {subject} {len(data)}\r\n".encode() + data + b"\r\n")

    def _write(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)


async def _run(port: int, count: int, seats: int, period_s: float) -> None:
    regions = cycle(name for name in load_world(default_world_path()).regions if name != LEFT_OUT)
    nodes = [
        Node(f"n-{at:04}", region, seats, period_s)
        for at, region in zip(range(count), regions, strict=False)
    ]
    async with asyncio.TaskGroup() as group:
        for node in nodes:
            group.create_task(node.listen(await node.connect(port)))
        for node in nodes:
            node.begin()
        print("ready", flush=True)


def main() -> None:
    """Until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--seats", type=int, default=SEATS)
    parser.add_argument("--period-s", type=float, default=1.0)
    options = parser.parse_args()
    uvloop.run(_run(options.port, options.nodes, options.seats, options.period_s))


if __name__ == "__main__":
    sys.exit(main())
