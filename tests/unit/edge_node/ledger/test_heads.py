"""Heads of a node's ledger: shown when there is more, believed only under the centre's key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_node.centre.identity import Identity
from edge_node.ledger.book import Book, Facts
from edge_node.ledger.heads import Heads
from edge_node.ledger.segments import Segments
from shared.clock import SystemClock
from shared.errors import BusFailed
from shared.ledger.heads import HEAD, SignedHead, key_hex, log_of, signed, witness
from shared.ledger.records import Deleted
from tests.support.fleet import until

WHO = Identity("n-1", "eu-central", "boot-1")
KEY, CENTRE = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


@dataclass
class Shown:
    """A centre that signs, or does not."""

    key: Ed25519PrivateKey = CENTRE
    away: bool = False
    heads: list[SignedHead] = field(default_factory=list)

    async def ask(self, data: bytes) -> bytes:
        if self.away:
            raise BusFailed("nobody there")
        self.heads.append(msgspec.json.decode(data, type=SignedHead))
        return msgspec.json.encode(witness(self.heads[-1], "p-1", 7, self.key))


@asynccontextmanager
async def running(folder: Path, centre: Shown) -> AsyncIterator[tuple[Book, Heads]]:
    clock = SystemClock()
    heads = Heads(folder, WHO, KEY, key_hex(CENTRE), centre.ask, clock, 0.01)
    facts = Facts(WHO, key_hex(KEY), lambda: 5, heads.size, lambda: 0)
    heads.book = book = Book(Segments(folder, 1 << 30), facts, clock)
    async with asyncio.TaskGroup() as group:
        tasks = []
        for service in (book, heads):
            ready = asyncio.Event()
            tasks.append(group.create_task(service.run(ready)))
            await ready.wait()
        yield book, heads
        for task in reversed(tasks):
            task.cancel()
            await asyncio.wait([task])


def deleted() -> Deleted:
    return Deleted(session="s", of="recovery", regions=("a",), objects=1, reason="days")


def test_what_was_written_is_shown_once_and_the_last_of_it_at_the_end(tmp_path: Path) -> None:
    centre = Shown()

    async def go() -> None:
        async with running(tmp_path, centre) as (book, heads):
            await until(lambda: heads.size() == 1)
            book.note([deleted()], soon=True)
            await until(lambda: heads.size() == 2)
            book.note([deleted()])

    asyncio.run(go())
    assert [one.head.size for one in centre.heads] == [1, 2, 3]
    for one in centre.heads:
        assert one.head.log == log_of(key_hex(KEY))
        assert signed(HEAD, one.head, one.sig, key_hex(KEY))


def test_another_start_knows_what_was_signed(tmp_path: Path) -> None:
    centre = Shown()

    async def go() -> None:
        async with running(tmp_path, centre) as (_, heads):
            await until(lambda: heads.size() == 1)
        assert Heads(tmp_path, WHO, KEY, "", centre.ask, SystemClock(), 1).size() == 1
        other = Ed25519PrivateKey.generate()
        assert Heads(tmp_path, WHO, other, "", centre.ask, SystemClock(), 1).size() == 0

    asyncio.run(go())


@pytest.mark.parametrize("centre", [Shown(away=True), Shown(key=KEY)], ids=["away", "a stranger"])
def test_nothing_counts_as_signed_that_the_centre_did_not_sign(
    tmp_path: Path, centre: Shown, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        async with running(tmp_path, centre) as (_, heads):
            await until(lambda: "not signed by the centre" in caplog.text)
            assert heads.size() == 0
            centre.away, centre.key = False, CENTRE
            await until(lambda: heads.size() == 1)

    asyncio.run(go())
    assert caplog.text.count("is not signed by the centre") == 1
