"""A log written and read: batches of records and notes of sessions, as values."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from control_plane.placement.record import FORMAT, Batch, Decided, read_batch
from control_plane.records.blocks import Block, Kind, pack_block
from control_plane.records.contents import (
    End,
    Header,
    Noted,
    Recorded,
    packed,
    unpacked,
)
from control_plane.records.damage import Damage
from control_plane.records.reading import Placed, blocks
from shared.errors import InvalidMessage

NOTES_A_BLOCK = 1000


class LogWriter:
    """Writes one log; nothing is whole before `end`.

    Args:
        file: is written from its beginning.
        header: goes first.
    """

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file, self._log = file, secrets.token_bytes(8)
        self._number = self._batches = self._decisions = self._notes = 0
        self._first_ms: int | None = None
        self._last_ms: int | None = None
        self._at_ms = 0
        self._planes: set[str] = set()
        self._waiting: list[Noted] = []
        self._block(Kind.HEADER, packed(header))

    def batch(self, batch: Batch, data: bytes) -> None:
        """Records, as the stream keeps them."""
        self._flush()
        times = list(decided_ms(batch))
        self._at_ms = times[0] if times else self._at_ms
        plane = batch.plane.encode()
        self._block(Kind.BATCH, bytes([len(plane)]) + plane + data)
        self._batches += 1
        self._planes.add(batch.plane)
        self._decisions += len(times)
        if times:
            self._first_ms = times[0] if self._first_ms is None else self._first_ms
            self._at_ms = self._last_ms = times[-1]

    def note(self, one: Noted) -> None:
        """A session's beginning or end."""
        self._notes += 1
        self._waiting.append(one)
        if len(self._waiting) >= NOTES_A_BLOCK:
            self._flush()

    def end(self, unreadable: int = 0) -> End:
        """Closes the log, not the file. Returns what it holds."""
        self._flush()
        planes = tuple(sorted(self._planes))
        told = End(self._batches, self._decisions, self._notes, planes,
                   self._first_ms, self._last_ms, unreadable)  # fmt: skip
        self._block(Kind.END, packed(told))
        return told

    def _flush(self) -> None:
        if self._waiting:
            self._block(Kind.NOTES, packed(self._waiting))
            self._waiting = []

    def _block(self, kind: Kind, payload: bytes) -> None:
        self._file.write(pack_block(Block(kind, self._log, self._number, self._at_ms, payload)))
        self._number += 1


def decided_ms(batch: Batch) -> Iterator[int]:
    """When the decisions in a batch were made."""
    return (one.ask.at_ms for one in batch.records if isinstance(one, Decided))


class Mark(NamedTuple):
    """A block in a file, and its time."""

    at_byte: int
    number: int
    at_ms: int


@dataclass(slots=True)
class Examined:
    """A log gone through block by block, without looking into batches."""

    header: Header | None = None
    end: End | None = None
    marks: list[Mark] = field(default_factory=list)
    """Of batches."""
    damage: list[Damage] = field(default_factory=list)


def examine(path: Path) -> Examined:
    """What a log is of, and all that is wrong with its blocks. Raises OSError."""
    found = Examined()
    with path.open("rb") as file:
        for one in blocks(file):
            if isinstance(one, Damage):
                found.damage.append(one)
                continue
            at_byte, block = one
            if block.kind is Kind.BATCH:
                found.marks.append(Mark(at_byte, block.number, block.at_ms))
            elif block.kind is not Kind.NOTES:
                content = _decoded(block)
                found.header = content if isinstance(content, Header) else found.header
                found.end = content if isinstance(content, End) else found.end
    found.damage += _of_header(found.header) if not found.damage else []
    return found


def _of_header(header: Header | None) -> list[Damage]:
    if header is None:
        return [Damage("missing", 0, 0, "the block that says what this is a log of is not there")]
    if header.records != FORMAT:
        message = f"records of format {header.records}, and format {FORMAT} is understood"
        return [Damage("other_version", 0, 0, message)]
    return []


Content = Batch | list[Noted]
Told = Callable[[Damage], None]


def contents(
    path: Path, damaged: Told, begin: Mark | None = None
) -> Iterator[tuple[int, int, Content]]:
    """What a log says, in order.

    Args:
        path: of the file.
        damaged: told what cannot be read; it may raise.
        begin: the block to begin with.

    Yields:
        The byte that was come to, the time there, and what stands there.
    """
    with path.open("rb") as file:
        for one in blocks(file, (0, 0) if begin is None else begin[:2]):
            content = one if isinstance(one, Damage) else _content(one)
            if isinstance(content, Damage):
                damaged(content)
            elif isinstance(content, Batch | list):
                assert not isinstance(one, Damage)
                yield one.at_byte, one.block.at_ms, content


def _content(placed: Placed) -> Batch | list[Noted] | Header | End | Damage:
    at, block = placed
    try:
        content = _decoded(block)
        if not isinstance(content, Recorded):
            return content
        batch = read_batch(content.data)
    except (ValueError, InvalidMessage) as error:
        return Damage("unreadable", at, block.number, f"cannot be understood: {error}")
    if batch.plane != content.plane:
        message = f"records of {batch.plane} stand under the name of {content.plane}"
        return Damage("other_plane", at, block.number, message)
    return batch


def _decoded(block: Block) -> Header | Recorded | list[Noted] | End:
    match block.kind:
        case Kind.HEADER:
            return unpacked(block.payload, Header)
        case Kind.BATCH:
            length = block.payload[0] if block.payload else 0
            plane, data = block.payload[1 : 1 + length], block.payload[1 + length :]
            return Recorded(plane.decode(), data)
        case Kind.NOTES:
            return unpacked(block.payload, list[Noted])
        case Kind.END:
            return unpacked(block.payload, End)
