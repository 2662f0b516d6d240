"""A ledger on disk: whatever cuts it short, what was good is there, and it goes on from there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_node.ledger.segments import LedgerDamaged, LedgerFull, Segments, read_segment
from shared.ledger.chain import START, place_of
from tests.support.ledgers import Node, chaotic_hour

NODES = [node for seed in range(3) for node in chaotic_hour(seed, acts=16).nodes]


def written(folder: Path, lines: list[bytes], segment_bytes: int = 900) -> Segments:
    segments = Segments(folder, 1 << 30, segment_bytes)
    segments.recover(0)
    for line in lines:
        segments.append(line + b"\n")
    segments.close()
    return segments


def all_lines(segments: Segments) -> list[bytes]:
    return [line for one in segments.segments() for line in read_segment(one)[1]]


@pytest.mark.parametrize("node", NODES, ids=lambda node: f"{len(node.lines)} records")
def test_another_start_goes_on_where_the_last_one_ended(tmp_path: Path, node: Node) -> None:
    segments = written(tmp_path, node.lines)
    assert all_lines(segments) == node.lines
    again = Segments(tmp_path, 1 << 30)
    again.recover(len(node.lines))
    assert again.chain.place == place_of(node.lines) == segments.chain.place
    assert set(again.standing.open) == set(node.meters)
    assert again.torn_bytes == 0


def test_each_file_says_where_it_begins(tmp_path: Path) -> None:
    [node, *_] = NODES
    segments = written(tmp_path, node.lines)
    assert len(segments.segments()) > 2
    place = START
    for one in segments.segments():
        begins, lines = read_segment(one)
        assert begins == place
        place = place_of(lines, begins)


@given(data=st.data())
@settings(max_examples=30)
def test_a_torn_line_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """However many bytes of the last write are there, or are there as zeros."""
    node = data.draw(st.sampled_from(NODES))
    folder = tmp_path_factory.mktemp("ledger")
    whole = data.draw(st.integers(1, len(node.lines) - 1))
    written(folder, node.lines[:whole], 1 << 30)
    torn = node.lines[whole][: data.draw(st.integers(0, len(node.lines[whole]) - 1))]
    torn = data.draw(st.sampled_from([torn, bytes(len(torn)), torn + bytes(9)]))
    [path] = folder.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(torn)
    segments = Segments(folder, 1 << 30)
    segments.recover(whole)
    assert segments.torn_bytes == len(torn)
    assert segments.chain.place == place_of(node.lines[:whole])
    segments.append(node.lines[whole] + b"\n")
    assert all_lines(segments) == node.lines[: whole + 1]


def shorter(data: bytes) -> bytes:
    return data[: len(data) // 2]


def other(data: bytes) -> bytes:
    return data.replace(b'"n":1,', b'"n":7,', 1)


@pytest.mark.parametrize("harm", [shorter, other])
def test_what_was_signed_must_be_there(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    [node, *_] = NODES
    written(tmp_path, node.lines, 1 << 30)
    [path] = tmp_path.glob("*.jsonl")
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(LedgerDamaged, match=f"{len(node.lines)} signed"):
        Segments(tmp_path, 1 << 30).recover(len(node.lines))


def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [node, *_] = NODES
    segments = written(tmp_path, node.lines[:3], 1 << 30)
    segments.recover(3)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="No space left"):
            segments.append(node.lines[3] + b"\n")
    assert all_lines(segments) == node.lines[:3]
    segments.append(node.lines[3] + b"\n")
    assert all_lines(segments) == node.lines[:4]
    assert segments.chain.place == place_of(node.lines[:4])


def test_only_what_is_kept_elsewhere_is_thrown_away(tmp_path: Path) -> None:
    [node, *_] = NODES
    segments = written(tmp_path, node.lines)
    second = segments.segments()[1].first
    small = Segments(tmp_path, 100, 900)
    small.recover(0)
    with pytest.raises(LedgerFull, match="the region keeps no copy yet"):
        small.make_room(second - 1)
    assert all_lines(small) == node.lines
    with pytest.raises(LedgerFull):
        small.make_room(second)
    assert all_lines(small) == node.lines[second:]
    again = Segments(tmp_path, 1 << 30)
    again.recover(len(node.lines))
    assert again.chain.place == place_of(node.lines)


def test_a_store_that_is_gone_is_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        Segments(tmp_path / "file" / "ledger", 1 << 30).recover(0)
