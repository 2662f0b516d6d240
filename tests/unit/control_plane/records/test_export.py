"""From the centre's streams into a log, on a bus in memory."""

import asyncio
import io
from pathlib import Path

import msgspec

from control_plane.placement.record import Batch
from control_plane.placement.replay import replay
from control_plane.records.choosing import Chooser
from control_plane.records.contents import End
from control_plane.records.export import Export
from control_plane.records.log import LogWriter, contents, decided_ms, examine
from control_plane.streams import CENTRE_NOTES, RECORDS
from shared.bus import Stream
from shared.bus.memory import MemoryBus
from shared.exchange import SessionNote
from shared.subjects import note as note_subject
from shared.subjects import record
from tests.support.logs import HEADER, packed
from tests.support.simulated import Hour


def note(event: str, at_ms: int) -> SessionNote:
    return SessionNote(
        id=f"{event}-{at_ms}", event=event, session="s", node="n0", region="eu-central",  # type: ignore[arg-type]
        boot="b", kind="recognition", language="en", model=None, tenant="t", policy="p",
        policy_version="v", decision=None, admitted_by="ticket", at_ms=at_ms,
    )  # fmt: skip


async def filled(batches: list[Batch], notes: list[SessionNote]) -> MemoryBus:
    bus = MemoryBus()
    await bus.ensure_stream(RECORDS)
    await bus.ensure_stream(Stream(CENTRE_NOTES, 2**24, ("hv.meta.*.*.note",)))
    for number, batch in enumerate(batches):
        await bus.keep(record(batch.plane), packed(batch), str(number))
    for one in notes:
        await bus.keep(note_subject(one.region, one.node), msgspec.json.encode(one), one.id)
    return bus


def exported(
    path: Path, batches: list[Batch], notes: list[SessionNote] | None = None, **window: int
) -> tuple[End, list[object]]:
    async def go() -> End:
        bus = await filled(batches, notes or [])
        with path.open("wb") as file:
            return await Export(bus, LogWriter(file, HEADER), **window).run()

    end = asyncio.run(go())
    assert examine(path).damage == []
    damaged: list[object] = []
    said = [one for _, _, one in contents(path, damaged.append)]
    assert damaged == []
    return end, said


def test_everything_that_is_there_is_written_and_can_be_decided_again(tmp_path: Path) -> None:
    batches = list(Hour(seed=2, seconds=400).batches())
    end, said = exported(tmp_path / "log", batches)
    assert [one.first for one in said if isinstance(one, Batch)] == [one.first for one in batches]
    assert end.decisions == sum(len(list(decided_ms(one))) for one in batches)
    assert (end.planes, end.unreadable) == (("plane-1",), 0)
    assert replay(one for one in said if isinstance(one, Batch)).differences == []


def test_notes_stand_where_their_time_is(tmp_path: Path) -> None:
    batches = list(Hour(seed=2, seconds=60).batches())
    notes = [note("started", 20_000), note("usage", 25_000), note("ended", 40_000)]
    _, said = exported(tmp_path / "log", batches, notes)
    kept = [one for one in said if isinstance(one, list)]
    assert [(one.event, one.at_ms) for some in kept for one in some] == [
        ("started", 20_000),
        ("ended", 40_000),
    ]
    at = said.index(kept[0])
    before, behind = said[at - 1], said[at + 1]
    assert isinstance(before, Batch)
    assert isinstance(behind, Batch)
    assert next(decided_ms(before)) < 20_000 < next(decided_ms(behind))


def test_a_window_begins_with_the_snapshot_before_it(tmp_path: Path) -> None:
    batches = list(Hour(seed=2, seconds=900).batches())
    end, said = exported(tmp_path / "log", batches, from_ms=700_000, until_ms=800_000)
    kept = [one for one in said if isinstance(one, Batch)]
    result = replay(kept)
    assert (result.differences, result.gaps) == ([], [])
    times = [at for one in kept for at in decided_ms(one)]
    assert min(times) < 700_000 < max(times) < 811_000
    assert min(times) > 500_000
    assert end.decisions == len(times)
    wanted = [at for one in batches for at in decided_ms(one) if 700_000 <= at < 800_000]
    assert set(wanted) <= set(times)


def test_what_is_no_batch_of_its_plane_is_counted_and_left_out(tmp_path: Path) -> None:
    batches = list(Hour(seed=2, seconds=60).batches())

    async def go() -> End:
        bus = await filled(batches, [])
        await bus.keep(record("plane-1"), b"nonsense", "x")
        await bus.keep(record("plane-2"), packed(batches[0]), "y")
        return await Export(bus, LogWriter(io.BytesIO(), HEADER)).run()

    end = asyncio.run(go())
    assert (end.batches, end.unreadable) == (len(batches), 2)


def test_a_centre_without_notes_still_has_decisions(tmp_path: Path) -> None:
    batches = list(Hour(seed=2, seconds=30).batches())

    async def go() -> End:
        bus = MemoryBus()
        await bus.ensure_stream(RECORDS)
        for number, batch in enumerate(batches):
            await bus.keep(record("plane-1"), packed(batch), str(number))
        return await Export(bus, LogWriter(io.BytesIO(), HEADER)).run()

    assert asyncio.run(go()).batches == len(batches)


def test_every_start_of_a_plane_is_chosen_by_itself() -> None:
    batches = list(Hour(seed=2, seconds=700).batches())
    again = [msgspec.structs.replace(one, start="s2") for one in batches]
    chooser = Chooser(from_ms=600_000)
    kept = [b for pair in zip(batches, again, strict=True) for one in pair
            for b, _ in chooser.chosen(one, b"")]  # fmt: skip
    assert {one.start for one in kept} == {"s1", "s2"}
    assert [one for one in kept if one.start == "s1"] == [
        msgspec.structs.replace(one, start="s1") for one in kept if one.start == "s2"
    ]
