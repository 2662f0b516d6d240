import msgspec
import pytest

from control_plane.fleet import Fleet
from control_plane.fleet.words import words_of
from control_plane.placement import decide
from control_plane.placement import record as records
from control_plane.placement.record import Batch, Record
from control_plane.placement.recorder import Recorder
from control_plane.placement.replay import replay
from shared.capacity import CapacityReport, KindRoom
from shared.regions.file import default_world_path, load_world
from tests.support.fleets import ask, policy, report, world
from tests.support.simulated import Hour


@pytest.fixture(scope="module")
def hour() -> list[Batch]:
    made = Hour(seed=4, seconds=3600)
    batches = list(made.batches())
    assert set(made.outcomes) == {"placed", "no_room", "not_allowed", "not_seated"}, made.outcomes
    return batches


@pytest.fixture(scope="module")
def minutes() -> list[Batch]:
    return list(Hour(seed=6, seconds=420).batches())


def test_an_hour_is_decided_again_without_a_difference(hour: list[Batch]) -> None:
    result = replay(hour)
    assert result.differences == []
    assert (result.gaps, result.skipped) == ([], 0)
    assert result.decisions > 5000
    kinds = {type(record) for batch in hour for record in batch.records}
    assert kinds >= set(Record.__args__) - {records.Released}


def test_it_can_begin_at_any_snapshot(minutes: list[Batch]) -> None:
    result = replay(minutes[1:])
    assert result.differences == []
    assert result.skipped > 1000
    assert result.decisions > 100


def tampered(hour: list[Batch], kind: type[Record], **changes: object) -> list[Batch]:
    """The same, with one record in the middle changed."""
    records_of = [(b, r) for b, batch in enumerate(hour) for r in range(len(batch.records))]
    where = [(b, r) for b, r in records_of if type(hour[b].records[r]) is kind]
    b, r = where[len(where) // 2]
    changed = list(hour[b].records)
    changed[r] = msgspec.structs.replace(changed[r], **changes)
    return [*hour[:b], msgspec.structs.replace(hour[b], records=tuple(changed)), *hour[b + 1 :]]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (records.Decided, {"outcome": "not_allowed"}),
        (records.Decided, {"candidates": ("n3",)}),
        (records.Decided, {"digest": "0" * 16}),
        (records.Decided, {"home": "atlantis"}),
        (records.Decided, {"policy": "nobody-knows"}),
        (records.Tried, {"story": ("n99: granted",)}),
        (records.Reading, {"rooms": ((5, 99), (0, 99))}),
        (records.Looked, {"view": 1}),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_a_record_that_was_changed_is_found(
    minutes: list[Batch], kind: type[Record], changes: dict[str, object]
) -> None:
    assert replay(minutes).differences == []
    assert replay(tampered(minutes, kind, **changes)).differences


def test_a_batch_that_is_missing_is_a_gap_and_not_a_difference(minutes: list[Batch]) -> None:
    result = replay([*minutes[:20], *minutes[21:]])
    assert result.gaps == [("plane-1", minutes[20].first, minutes[21].first)]
    assert result.differences == []
    assert result.decisions > 300
    assert result.skipped > 100


def test_every_start_of_a_control_plane_is_followed_by_itself(minutes: list[Batch]) -> None:
    """The numbers begin again; that is no gap. Two planes' batches may come mixed."""
    again = [msgspec.structs.replace(batch, start="s2") for batch in minutes[:5]]
    other = [msgspec.structs.replace(batch, plane="plane-2") for batch in minutes[:5]]
    mixed = [batch for three in zip(minutes[:5], again, other, strict=True) for batch in three]
    result = replay(mixed)
    assert (result.differences, result.gaps, result.skipped) == ([], [], 0)
    assert result.records == 3 * sum(len(batch.records) for batch in minutes[:5])


def test_records_that_nobody_takes_are_dropped_and_counted() -> None:
    """And what comes after a gap can be followed again."""
    made = Hour(seed=5, seconds=400, kept_bytes=20_000)
    batches = list(made.batches(take_every=50))
    assert made.recorder.dropped > 1000
    assert batches[-1].dropped > 0
    result = replay(batches)
    assert result.differences == []
    assert len(result.gaps) > 3
    assert result.skipped == 0
    missing = sum(came - due for _, due, came in result.gaps)
    assert 0 < missing <= made.recorder.dropped


def taken_down(*reports: CapacityReport) -> tuple[records.Record, ...]:
    """What a recorder makes of one report after the other."""
    recorder = Recorder("p", "s")
    for one in reports:
        recorder.reported(one, words_of(one), 5.0)
    packed = recorder.take()
    assert packed is not None
    return records.read_batch(packed.data).records


def test_a_reading_is_the_report_again() -> None:
    first = report(seq=1)
    second = report(seq=2, fits=1, held=9, queue=3, step_p95_ms=9.5, at_ms=7)
    whole, made = taken_down(first, second)
    assert isinstance(whole, records.Reported)
    assert isinstance(made, records.Reading)
    assert records.whole(made, first) == second


@pytest.mark.parametrize(
    "change",
    [{"draining": True}, {"url": "ws://new"}, {"languages": ()}, {"goodbye": True}, {"boot": "b2"},
     {"kinds": {"recognition": KindRoom(0, 1)}}, {"tier": "cold"}, {"policy_version": "9"}],
    ids=str,
)  # fmt: skip
def test_what_a_reading_cannot_say_is_said_whole(change: dict[str, object]) -> None:
    _, made, after = taken_down(report(seq=1), report(seq=2, **change), report(seq=3, **change))
    assert isinstance(made, records.Reported)
    assert made.report == report(seq=2, **change)
    assert isinstance(after, records.Reading)
    assert records.whole(after, made.report) == report(seq=3, **change)


def test_worlds_survive_being_written_down() -> None:
    batch = records.pack(
        msgspec.msgpack.encode(Batch(records.FORMAT, "p", "s", 1, 0, (records.Used(world("v7")),)))
    )
    (record,) = records.read_batch(batch).records
    assert isinstance(record, records.Used)
    assert record.world == world("v7")


def test_the_world_that_ships_can_be_taken_down_and_taken_up_again() -> None:
    """A world that was read from a file holds mappings that cannot be written."""
    ships = load_world(default_world_path())
    recorder = Recorder("p", "s")
    known = Fleet(ships, 0.0, witness=recorder)
    known.reported(report(), 1.0)
    known.use(ships)
    recorder.decided(decide(known.view(5.0), ask(), policy("eu-only", ships)))
    packed = recorder.take()
    assert packed is not None
    result = replay([records.read_batch(packed.data)])
    assert (result.decisions, result.differences) == (1, [])


@pytest.mark.parametrize(
    "data",
    [b"", b"x", records.pack(b""), records.pack(b"\x01"), records.pack(b"\x00" * (65 * 2**20)),
     records.pack(msgspec.msgpack.encode([9, "p", "s", 1, 0, []])),
     records.pack(msgspec.msgpack.encode([2, "p", "s", 1, 0, []]))[:-3]],
    ids=["empty", "plain", "nothing", "number", "huge", "newer", "cut"],
)  # fmt: skip
def test_what_is_no_batch_is_refused(data: bytes) -> None:
    with pytest.raises(records.InvalidMessage, match="not a batch"):
        records.read_batch(data)
