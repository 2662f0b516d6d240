"""What the ledger costs: bytes and CPU of a session-hour, the wait for the disk, verification."""

import asyncio
import contextlib
import io
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.ledger import verify
from control_plane.ledger.bundle import bundle_files
from edge_node.centre.identity import Identity
from edge_node.desk import Terms
from edge_node.ledger.book import Book, Facts
from edge_node.ledger.segments import Segments
from edge_node.ledger.sessions import Heard, Progress, SessionLedger
from shared.clock import SystemClock
from shared.ledger.metering import Meter
from tests.benchmarks.figures import Figure, percentile
from tests.support.ledgers import RATE, START_MS, WHOLE, WORLDS, Centre, Node, Story
from tests.support.ledgers import written as bundle_on_disk

HOUR_MS = 3_600_000
SECOND_MS = 1000
RECORDS = 1_000_000
AT_ONCE = 50
"""Sessions that open at one moment."""


def run(rounds: int, seconds: float) -> list[Figure]:
    """All of it; only the wait for the disk goes by `seconds`."""
    bytes_, cpu, alone, together = [], [], [], []
    for _ in range(rounds):
        size, used_s = _session_hour()
        bytes_.append(size / 1000)
        cpu.append(used_s * 1000)
        one, many = asyncio.run(_waits(int(seconds * 5)))
        alone.append(percentile(one, 0.95))
        together.append(percentile(many, 0.95))
    return [
        Figure("ledger, bytes of a session-hour", "kB", tuple(bytes_)),
        Figure("ledger, CPU of a session-hour", "ms", tuple(cpu)),
        Figure("a session's record on disk, p95", "ms", tuple(alone), 100),
        Figure(f"the same, {AT_ONCE} at one moment, p95", "ms", tuple(together), 100),
        *_verification(),
    ]


def _session_hour() -> tuple[int, float]:
    """Bytes on disk, and CPU seconds of making them, hashing, and following them on disk."""
    with tempfile.TemporaryDirectory() as folder:
        segments = Segments(Path(folder), 1 << 30)
        segments.recover(0)
        node = Node("n-1", "a", Ed25519PrivateKey.generate())
        node.start(START_MS)
        meter = Meter("0123456789abcdef", counts=True)
        began_s, before = time.process_time(), len(node.lines)
        for now_ms in range(SECOND_MS, HOUR_MS, SECOND_MS):
            samples = now_ms * RATE // 1000
            meter.heard(samples, samples - RATE, 0)
            node.write(meter.due(now_ms), START_MS + now_ms)
            if new := node.lines[before:]:
                segments.append(b"".join(line + b"\n" for line in new))
                before = len(node.lines)
        node.write(meter.close("finish"), START_MS + HOUR_MS)
        used_s = time.process_time() - began_s
        segments.close()
        return sum(len(line) + 1 for line in node.lines), used_s


async def _waits(count: int) -> tuple[list[float], list[float]]:
    """From being asked to being on the disk: one at a time, and many at one moment."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        clock = SystemClock()
        facts = Facts(Identity("n-1", "a", "b"), "00", lambda: START_MS, lambda: 0, lambda: 0)
        book = Book(Segments(Path(folder), 1 << 30), facts, clock)
        sessions = SessionLedger(book, clock, lambda _: None, lambda _tenant, _caller: None)
        ready, took = asyncio.Event(), (list[float](), list[float]())

        async def opened(name: str, into: list[float]) -> None:
            began_s = time.monotonic()
            heard = Heard(name, "recogniser", "recognition", RATE, Terms("t", "p", "v"))
            await sessions.opened(heard, Progress)
            into.append(1000 * (time.monotonic() - began_s))

        async with asyncio.TaskGroup() as group:
            task = group.create_task(book.run(ready))
            await ready.wait()
            for number in range(count):
                await opened(f"s{number}", took[0])
            for number in range(max(1, count // AT_ONCE)):
                names = [f"s{number}-{at}" for at in range(AT_ONCE)]
                await asyncio.gather(*(opened(name, took[1]) for name in names))
            task.cancel()
        return took


def _verification() -> Iterator[Figure]:
    """A million records of one node, an hour of 1,300 sessions, a head every ten seconds."""
    with tempfile.TemporaryDirectory() as folder:
        bundle_on_disk(_big_bundle(), Path(folder))
        began_s = time.monotonic()
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = verify.main([folder])
        took_s = time.monotonic() - began_s
        said = json.loads(out.getvalue().splitlines()[-1])
        assert (code, said["problems"]) == (0, 0), said
        yield Figure(f"verification of {said['records']:,} records", "s", (took_s,))


def _big_bundle() -> dict[str, bytes]:
    centre = Centre(Ed25519PrivateKey.generate())
    centre.publish(WORLDS[0], START_MS)
    node = Node("a-1", "a", Ed25519PrivateKey.generate())
    node.start(START_MS)
    story = Story(random.Random(1), centre, [node])
    names = [story.open(node) for _ in range(1300)]
    while len(node.lines) < RECORDS - 5000:
        story.listen(5000)
        if story.now_ms % 10_000 == 0:
            node.head(centre, story.now_ms)
    for name in names:
        story.close(name, [node])
    node.head(centre, story.now_ms)
    files, missing = bundle_files(centre.files(WHOLE), {node.log: node.stretch()})
    assert not missing
    return files
