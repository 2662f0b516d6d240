"""A log is read as it was written; whatever was done to it is found and named."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.placement.record import Batch
from control_plane.records.blocks import HEAD_BYTES, read_head
from control_plane.records.damage import Damage
from control_plane.records.log import LogWriter, contents, examine
from tests.support.logs import HEADER, noted, packed, write
from tests.support.simulated import Hour

Blocks = list[bytes]


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    return list(Hour(seed=3, seconds=60).batches())


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, batches: list[Batch]) -> Path:
    path = tmp_path_factory.mktemp("log") / "whole.hvlog"
    write(path, [*batches[:3], noted("s", "started", 1), *batches[3:]])
    return path


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, batches: list[Batch]) -> Path:
    path = tmp_path_factory.mktemp("log") / "other.hvlog"
    write(path, batches)
    return path


def cut(data: bytes) -> Blocks:
    """A log's blocks."""
    found = []
    while data:
        head = read_head(data)
        assert head is not None
        found.append(data[: HEAD_BYTES + head.length])
        data = data[HEAD_BYTES + head.length :]
    return found


def read(path: Path) -> tuple[list[object], list[Damage]]:
    damage: list[Damage] = []
    return [content for _, _, content in contents(path, damage.append)], damage


def test_it_is_read_as_it_was_written(log: Path, batches: list[Batch]) -> None:
    found = examine(log)
    assert (found.damage, found.header) == ([], HEADER)
    assert found.end is not None
    assert (found.end.batches, found.end.notes, found.end.planes) == (len(batches), 1, ("plane-1",))
    said, damage = read(log)
    assert damage == []
    assert [one for one in said if isinstance(one, Batch)] == batches
    assert said[3] == [noted("s", "started", 1)]
    times = [mark.at_ms for mark in found.marks]
    assert times == sorted(times)
    assert times[-1] > 50_000


def flipped(blocks: Blocks) -> Blocks:
    broken = bytearray(blocks[2])
    broken[HEAD_BYTES + 10] ^= 4
    return [*blocks[:2], bytes(broken), *blocks[3:]]


def longer(blocks: Blocks) -> Blocks:
    """Its head says that it is longer than anything: the next block still counts."""
    broken = bytearray(blocks[2])
    broken[20] = 0xFF
    return [*blocks[:2], bytes(broken), *blocks[3:]]


DAMAGE: list[tuple[str, Callable[[Blocks], Blocks]]] = [
    ("changed", flipped),
    ("changed", longer),
    ("truncated", lambda blocks: [*blocks[:-1]]),
    ("truncated", lambda blocks: [*blocks[:-2], blocks[-2][:-5]]),
    ("truncated", lambda blocks: [*blocks[:-1], blocks[-1][:10]]),
    ("truncated", lambda _: []),
    ("missing", lambda blocks: [*blocks[:2], *blocks[3:]]),
    ("missing", lambda blocks: blocks[1:]),
    ("repeated", lambda blocks: [*blocks[:3], blocks[2], *blocks[3:]]),
    ("missing", lambda blocks: [*blocks[:2], blocks[3], blocks[2], *blocks[4:]]),
    ("no_log", lambda _: [b"regions:\n  north: {}\n" * 9]),
    ("other_version", lambda blocks: [blocks[0][:4] + b"\x09" + blocks[0][5:], *blocks[1:]]),
]


@pytest.mark.parametrize(("what", "harm"), DAMAGE)
def test_damage_is_named(
    what: str, harm: Callable[[Blocks], Blocks], log: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.hvlog"
    broken.write_bytes(b"".join(harm(cut(log.read_bytes()))))
    found = examine(broken).damage
    assert found[0].what == what, found
    assert found[0].message
    assert found[0].remedy
    assert f"byte {found[0].at_byte}" in str(found[0])


def test_what_was_put_in_another_order_is_named_too(log: Path, tmp_path: Path) -> None:
    blocks = cut(log.read_bytes())
    broken = tmp_path / "broken.hvlog"
    broken.write_bytes(b"".join([*blocks[:2], blocks[3], blocks[2], *blocks[4:]]))
    assert [one.what for one in examine(broken).damage] == ["missing", "out_of_order"]


def test_blocks_of_another_log_are_none_of_ours(log: Path, other: Path, tmp_path: Path) -> None:
    ours, theirs = cut(log.read_bytes()), cut(other.read_bytes())
    broken = tmp_path / "broken.hvlog"
    broken.write_bytes(b"".join([*ours, *theirs]))
    assert {one.what for one in examine(broken).damage} == {"other_log"}
    broken.write_bytes(b"".join([*ours[:4], theirs[4], *ours[5:]]))
    assert [one.what for one in examine(broken).damage] == ["other_log", "missing"]


def test_records_under_anothers_name_and_of_another_format(
    batches: list[Batch], tmp_path: Path
) -> None:
    path = tmp_path / "odd.hvlog"
    named = msgspec.structs.replace(batches[0], plane="plane-2")
    with path.open("wb") as file:
        writer = LogWriter(file, HEADER)
        writer.batch(batches[0], packed(named))
        writer.batch(batches[1], b"nothing")
        writer.end()
    assert examine(path).damage == []
    said, damage = read(path)
    assert (said, [one.what for one in damage]) == ([], ["other_plane", "unreadable"])
    write(path, batches, msgspec.structs.replace(HEADER, records=1))
    assert [one.what for one in examine(path).damage] == ["other_version"]


def test_whatever_is_sound_is_still_read(log: Path, batches: list[Batch], tmp_path: Path) -> None:
    broken = tmp_path / "broken.hvlog"
    for harm in (flipped, longer):
        broken.write_bytes(b"".join(harm(cut(log.read_bytes()))))
        said, damage = read(broken)
        kept = [one for one in said if isinstance(one, Batch)]
        assert kept == [batches[0], *batches[2:]]
        assert len(damage) == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_change_goes_unseen(
    log: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A byte changed, or some cut out, anywhere."""
    whole = bytearray(log.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[at] ^= data.draw(st.integers(1, 255))
    else:
        del whole[at : at + data.draw(st.integers(1, 2000))]
    broken = tmp_path_factory.mktemp("any") / "broken.hvlog"
    broken.write_bytes(whole)
    assert examine(broken).damage
