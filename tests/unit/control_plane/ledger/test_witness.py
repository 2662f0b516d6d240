"""What the centre signs of nodes' ledgers, and keeps; and what it states of a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.ledger.statements import Statements
from control_plane.ledger.witness import Witness
from control_plane.ledger.worlds import ALL_WORLDS, Worlds
from control_plane.streams import CENTRE_NOTES, DECISIONS, LEDGER
from control_plane.world import WorldNow
from shared import subjects
from shared.bus import Stream
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.errors import BusFailed, InvalidMessage
from shared.ledger.allowed import Published
from shared.ledger.heads import WITNESS, WORLD, Witnessed, key_hex, sign_head, signed, unsigned
from tests.support.ledgers import START_MS, WORLDS, Centre, Node
from tests.support.verdicts import verdict

KEY = Ed25519PrivateKey.generate()


def world(text: str = WORLDS[0]) -> WorldNow:
    return WorldNow(text, "a test's")


@asynccontextmanager
async def centre() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    for stream in (DECISIONS, LEDGER, Stream(CENTRE_NOTES, 1 << 20, (subjects.NOTES,))):
        await bus.ensure_stream(stream)
    service, ready = Witness(bus, "p-1", KEY), asyncio.Event()
    task = asyncio.get_running_loop().create_task(service.run(ready))
    await ready.wait()
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.wait([task])
        await bus.close()


def run(test: Callable[[MemoryBus], Awaitable[None]]) -> None:
    async def go() -> None:
        async with centre() as bus:
            await test(bus)

    asyncio.run(go())


def node() -> Node:
    made = Node("n-1", "a", Ed25519PrivateKey.generate())
    made.start(START_MS)
    return made


def head_of(node: Node, **other: Any) -> bytes:
    book = Centre(KEY)
    node.head(book, START_MS)
    head = msgspec.structs.replace(book.seen[0].head, **other)
    return msgspec.json.encode(sign_head(head, node.key))


async def shown(bus: MemoryBus, data: bytes, subject: str = "hv.meta.a.n-1.head") -> Witnessed:
    return msgspec.json.decode(await bus.request(subject, data, 5), type=Witnessed)


def test_a_head_is_signed_and_kept() -> None:
    async def go(bus: MemoryBus) -> None:
        mine = node()
        seen = await shown(bus, head_of(mine))
        assert signed(WITNESS, unsigned(seen), seen.sig, key_hex(KEY))
        kept = await Statements(bus, SystemClock(), "p-1", KEY).heads()
        assert kept == [seen]

    run(go)


@pytest.mark.parametrize(
    ("other", "subject"),
    [
        ({}, "hv.meta.a.n-2.head"),
        ({}, "hv.meta.b.n-1.head"),
        ({"log": "0" * 16}, "hv.meta.a.n-1.head"),
        ({"key": "00"}, "hv.meta.a.n-1.head"),
        ({"key": key_hex(KEY)}, "hv.meta.a.n-1.head"),
    ],
    ids=["another node's", "another region's", "another log", "no key", "another key"],
)
def test_what_a_node_may_not_say_is_not_signed(other: dict[str, Any], subject: str) -> None:
    async def go(bus: MemoryBus) -> None:
        with pytest.raises(BusFailed):
            await shown(bus, head_of(node(), **other), subject)
        assert await Statements(bus, SystemClock(), "p-1", KEY).heads() == []

    run(go)


def test_a_ledger_that_became_shorter_is_not_signed(caplog: pytest.LogCaptureFixture) -> None:
    async def go(bus: MemoryBus) -> None:
        mine = node()
        await shown(bus, head_of(mine, size=9))
        with pytest.raises(BusFailed):
            await shown(bus, head_of(mine, size=8))

    run(go)
    assert "the ledger has 8 records, and had 9" in caplog.text


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[1]"])
def test_what_is_no_head_is_refused(data: bytes) -> None:
    async def go(bus: MemoryBus) -> None:
        with pytest.raises(BusFailed):
            await shown(bus, data)

    run(go)


def test_every_version_in_force_is_kept_once_for_each_time(tmp_path: Path) -> None:
    """A control plane that starts again under the same policies says nothing new."""
    now = [world()]

    async def lived(bus: MemoryBus, *texts: str) -> None:
        worlds = Worlds(bus, SystemClock(), lambda: now[0], plane="p-1", key=KEY, life_s=100.0)
        ready = asyncio.Event()
        task = asyncio.get_running_loop().create_task(worlds.run(ready))
        await ready.wait()
        for text in texts:
            now[0] = world(text)
            before = await count(bus)
            worlds.touched()
            async with asyncio.timeout(5):
                while await count(bus) == before:  # noqa: ASYNC110
                    await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    async def count(bus: MemoryBus) -> int:
        return sum((await bus.count(LEDGER.name, ALL_WORLDS)).values())

    async def go(bus: MemoryBus) -> None:
        await lived(bus)
        await lived(bus, WORLDS[1], WORLDS[0])
        await lived(bus)
        kept = [one async for one in bus.read_now(LEDGER.name, subject=ALL_WORLDS)]
        told = [msgspec.json.decode(one.data, type=Published) for one in kept]
        versions = [world(text).world.version for text in (WORLDS[0], WORLDS[1], WORLDS[0])]
        assert [one.world.version for one in told] == versions
        for one in told:
            assert signed(WORLD, unsigned(one), one.sig, key_hex(KEY))
            assert one.good_for_ms == 160_000

    run(go)


def test_what_is_stated_verifies_with_nothing_but_itself() -> None:
    async def go(bus: MemoryBus) -> None:
        said = verdict(await Statements(bus, SystemClock(), "p-1", KEY).files(0, None))
        assert (said["problems"], said["records"]) == (0, 0)

    run(go)


@pytest.mark.parametrize("span", [(5, 5), (9, 5), (-1, 5)])
def test_a_time_that_is_none_is_refused(span: tuple[int, int]) -> None:
    async def go(bus: MemoryBus) -> None:
        with pytest.raises(InvalidMessage):
            await Statements(bus, SystemClock(), "p-1", KEY).files(*span)

    run(go)
