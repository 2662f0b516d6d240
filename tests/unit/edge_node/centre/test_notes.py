"""Notes of what sessions used are kept once the stream is there, and counted where they are not."""

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge_node.centre.notes import Notes, Outbox
from shared.errors import BusFailed
from shared.exchange import SessionNote
from tests.support.virtual_time import LoopClock, run_virtually


def note(name: str, event: str = "started") -> SessionNote:
    return SessionNote(
        name, event, "s", "n", "eu", "b", "recognition", "en", None, "t", "p", "v", None,
        "node", 0,
    )  # type: ignore[arg-type]  # fmt: skip


@given(most=st.integers(1, 12), events=st.lists(st.sampled_from(["started", "usage", "ended"])))
def test_no_note_is_lost_without_being_counted(most: int, events: list[str]) -> None:
    outbox = Outbox(most)
    for number, event in enumerate(events):
        outbox.add(note(str(number), event))
        assert len(outbox) <= most
    assert len(outbox) + outbox.dropped == len(events)
    kept = outbox.first(most)
    assert [int(one.id) for one in kept] == sorted(int(one.id) for one in kept)


def test_usage_goes_first() -> None:
    outbox = Outbox(10)
    for number in range(9):
        outbox.add(note(str(number)))
    outbox.add(note("usage", "usage"))
    outbox.add(note("end", "ended"))
    assert [one.id for one in outbox.first(10)][-1] == "end"
    assert (len(outbox), outbox.dropped) == (10, 1)


def test_a_note_that_was_kept_is_forgotten_and_one_that_is_gone_is_no_error() -> None:
    outbox = Outbox(1)
    first, second = note("1"), note("2")
    outbox.add(first)
    outbox.add(second)
    outbox.done(first)
    outbox.done(second)
    assert len(outbox) == 0


class Stream:
    def __init__(self) -> None:
        self.there = True
        self.kept: list[str] = []

    async def keep(self, data: bytes, note_id: str) -> None:
        if not self.there:
            raise BusFailed("away")
        assert msgspec.json.decode(data, type=SessionNote).id == note_id
        self.kept.append(note_id)


def test_what_cannot_be_kept_is_tried_again_in_order() -> None:
    async def scene() -> None:
        stream = Stream()
        notes = Notes(stream.keep, LoopClock())
        running = asyncio.ensure_future(notes.run(asyncio.Event()))  # noqa: TID251
        stream.there = False
        for number in range(100):
            notes.add(note(str(number)))
        await asyncio.sleep(3.5)
        assert (stream.kept, len(notes.outbox)) == ([], 100)
        stream.there = True
        await asyncio.sleep(1.5)
        assert stream.kept == [str(number) for number in range(100)]
        notes.add(note("last"))
        running.cancel()
        await asyncio.wait([running])
        assert stream.kept[-1] == "last"
        assert (notes.kept, notes.outbox.dropped) == (101, 0)

    run_virtually(scene())


def test_the_end_does_not_wait_for_ever() -> None:
    async def scene() -> None:
        stream = Stream()
        stream.there = False
        notes = Notes(stream.keep, LoopClock())
        running = asyncio.ensure_future(notes.run(asyncio.Event()))  # noqa: TID251
        notes.add(note("1"))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running], timeout=60)
        assert running.cancelled()

    run_virtually(scene())
