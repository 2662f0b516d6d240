"""Copies of a ledger in its region's store: all of it, in order, through outages and restarts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from control_plane.ledger.bundle import Stretch, joined
from edge_node.centre.identity import Identity
from edge_node.ledger import shipping as ships
from edge_node.ledger.book import Book, Facts
from edge_node.ledger.segments import Segments, read_segment
from edge_node.ledger.shipping import Shipping
from shared.bus import Bus
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.content.stream import content_stream
from shared.ledger.copies import Copy
from shared.ledger.records import Deleted
from tests.support.fleet import until

WHO = Identity("n-1", "eu-central", "boot-1")
SUBJECT = "hv.content.eu-central.n-1.ledger"


def deleted(number: int) -> Deleted:
    return Deleted(session=f"s{number}", of="recovery", regions=("a",), objects=1, reason="days")


@asynccontextmanager
async def running(folder: Path, bus: MemoryBus) -> AsyncIterator[tuple[Book, Shipping]]:
    clock, segments = SystemClock(), Segments(folder, 1 << 30, 2000)
    facts = Facts(WHO, "00", lambda: 5, lambda: 0, lambda: 0)
    book = Book(segments, facts, clock)

    async def dial() -> Bus:
        return bus.beside()

    shipping = Shipping(segments, book, "log-1", SUBJECT, dial, clock, 3600)
    async with asyncio.TaskGroup() as group:
        tasks = []
        for service in (book, shipping):
            ready = asyncio.Event()
            tasks.append(group.create_task(service.run(ready)))
            await ready.wait()
        yield book, shipping
        for task in reversed(tasks):
            task.cancel()
            await asyncio.wait([task])


async def copies(bus: MemoryBus) -> Stretch:
    found = []
    async for stored in bus.read_now("CONTENT"):
        assert stored.subject == SUBJECT
        copy = msgspec.json.decode(stored.data, type=Copy)
        assert copy.log == "log-1"
        found.append(Stretch(copy.place, tuple(line.encode() for line in copy.lines)))
    whole = joined(found)
    assert whole is not None
    return whole


def on_disk(folder: Path) -> tuple[bytes, ...]:
    return tuple(line for one in Segments(folder, 0).segments() for line in read_segment(one)[1])


def test_all_of_it_comes_into_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ships, "EVERY_S", 0.01)
    monkeypatch.setattr(ships, "COPY_BYTES", 1000)

    async def go() -> None:
        bus = MemoryBus()
        for _ in range(2):  # the second start begins with no store
            async with running(tmp_path, bus) as (book, shipping):
                book.note([deleted(number) for number in range(20)], soon=True)
                await book.durable(5)
                await bus.ensure_stream(content_stream(1 << 20))
                await until(lambda s=shipping, b=book: s.copied() == b.place.size)
                book.note([deleted(99)])
        whole = await copies(bus)
        assert whole.lines == on_disk(tmp_path)[: len(whole.lines)]
        assert len(whole.lines) >= 2 * 21
        await bus.close()

    asyncio.run(go())


def test_without_a_store_nothing_counts_as_copied(tmp_path: Path) -> None:
    async def go() -> None:
        clock, segments = SystemClock(), Segments(tmp_path, 1 << 30)
        book = Book(segments, Facts(WHO, "00", lambda: 5, lambda: 0, lambda: 0), clock)
        shipping = Shipping(segments, book, "log-1", SUBJECT, None, clock, 3600)
        ready = asyncio.Event()
        task = asyncio.get_running_loop().create_task(shipping.run(ready))
        await ready.wait()
        assert shipping.copied() == 0
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(go())
