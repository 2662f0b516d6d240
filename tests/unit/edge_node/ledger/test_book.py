"""Writing: many records with one write, told when they are on disk, whatever the disk does."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from edge_node.centre.identity import Identity
from edge_node.ledger import book as books
from edge_node.ledger.book import Book, Facts, NotDurable
from edge_node.ledger.segments import Segments, read_segment
from shared.clock import SystemClock
from shared.ledger.records import Counted, Deleted, Record
from tests.support.ledgers import Node, chaotic_hour

WHO = Identity("n-1", "eu-central", "boot-1")


def deleted(number: int) -> Record:
    return Deleted(session=f"s{number}", of="transcripts", regions=("a",), objects=1, reason="days")


@asynccontextmanager
async def running(folder: Path, signed: int = 0) -> AsyncIterator[Book]:
    segments = Segments(folder, 1 << 30)
    facts = Facts(WHO, "00", lambda: 5, lambda: signed, lambda: 0)
    book = Book(segments, facts, SystemClock())
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(book.run(ready))
        await ready.wait()
        yield book
        task.cancel()


def on_disk(folder: Path) -> list[dict[str, object]]:
    found = [read_segment(one)[1] for one in Segments(folder, 0).segments()]
    return [msgspec.json.decode(line) for lines in found for line in lines]


def kinds(folder: Path) -> list[object]:
    return [record["what"] for record in on_disk(folder)]


def test_it_begins_with_a_boot_and_goes_on_with_another(tmp_path: Path) -> None:
    async def go() -> None:
        for _ in range(2):
            async with running(tmp_path) as book:
                book.note([deleted(1)], soon=True)
                await book.durable(5.0)
                assert kinds(tmp_path)[-1] == "deleted"
                assert book.place.size == len(on_disk(tmp_path))
        assert kinds(tmp_path) == ["boot", "deleted", "boot", "deleted"]

    asyncio.run(go())


def test_sessions_that_were_open_are_closed_first(tmp_path: Path) -> None:
    story = chaotic_hour(3)
    node: Node = max(story.nodes, key=lambda one: len(one.meters))
    segments = Segments(tmp_path, 1 << 30)
    segments.recover(0)
    segments.append(b"".join(line + b"\n" for line in node.lines))
    segments.close()

    async def go() -> None:
        async with running(tmp_path):
            pass
        new = on_disk(tmp_path)[len(node.lines) :]
        assert (new[0]["what"], new[0]["open"]) == ("boot", len(node.meters))
        assert [record["session"] for record in new[1:]] == sorted(node.meters)
        assert {record["reason"] for record in new[1:]} == {"node_died"}

    asyncio.run(go())


def test_many_that_wait_share_a_write(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as book:
            before = book.writes

            async def one(number: int) -> None:
                book.note([deleted(number)], soon=True)
                await book.durable(5.0)

            await asyncio.gather(*(one(number) for number in range(200)))
            assert book.writes - before < 20
        assert kinds(tmp_path).count("deleted") == 200

    asyncio.run(go())


def test_what_nobody_waits_for_is_written_at_the_end(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as book:
            book.note([deleted(1)])
        assert kinds(tmp_path)[-1] == "deleted"

    asyncio.run(go())


def test_a_full_disk_is_told_to_who_waits_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(books, "AGAIN_S", 0.01)

    async def go() -> None:
        async with running(tmp_path) as book:
            with monkeypatch.context() as patched:
                patched.setattr(os, "fdatasync", full)
                book.note([deleted(1)], soon=True)
                with pytest.raises(NotDurable, match="No space left on device"):
                    await book.durable(5.0)
                assert book.failing == "No space left on device"
                book.note([deleted(2)])
            async with asyncio.timeout(5):
                while book.failing:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            await book.durable(5.0)
        assert kinds(tmp_path) == ["boot", "deleted", "deleted"]

    asyncio.run(go())


def test_what_does_not_fit_into_memory_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that says how many are missing: the ledger does not pretend to be whole."""
    monkeypatch.setattr(books, "MAX_WAITING_BYTES", 1000)
    many = Counted(session="s", unit="samples", first=0, end=1)

    async def go() -> None:
        async with running(tmp_path) as book:
            book.note([many] * 50)
            assert book.missed > 10
            with pytest.raises(NotDurable):
                await book.durable(5.0)
            async with asyncio.timeout(5):
                while book.place.size < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            book.note([deleted(1)], soon=True)
            await book.durable(5.0)
            [missed] = [one for one in on_disk(tmp_path) if one["what"] == "missed"]
            assert missed["records"] == book.missed

    asyncio.run(go())


def test_a_disk_that_is_gone_holds_up_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def go() -> None:
        async with running(tmp_path / "file" / "ledger") as book:
            book.note([deleted(1)], soon=True)
            with pytest.raises(NotDurable, match="Not a directory"):
                await book.durable(5.0)
            assert book.missed == 1

    asyncio.run(go())


def test_a_damaged_ledger_is_not_gone_on_with(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as book:
            book.note([deleted(1)])
        async with running(tmp_path, signed=9) as book:
            assert "2 good records, 9 signed" in str(book.failing)
        assert kinds(tmp_path) == ["boot", "deleted"]

    asyncio.run(go())
