"""A log written and read: batches of records and notes of sessions, as values."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

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
from control_plane.records.damage import Damage, LogDamaged
from control_plane.records.reading import blocks
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
        self._planes: set[str] = set()
        self._waiting: list[Noted] = []
        self._block(Kind.HEADER, packed(header))

    def batch(self, batch: Batch, data: bytes) -> None:
        """Records, as the stream keeps them."""
        self._flush()
        plane = batch.plane.encode()
        self._block(Kind.BATCH, bytes([len(plane)]) + plane + data)
        self._batches += 1
        self._planes.add(batch.plane)
        for at_ms in decided_ms(batch):
            self._decisions += 1
            self._first_ms = at_ms if self._first_ms is None else self._first_ms
            self._last_ms = at_ms

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
        self._file.write(pack_block(Block(kind, self._log, self._number, payload)))
        self._number += 1


def decided_ms(batch: Batch) -> Iterator[int]:
    """When the decisions in a batch were made."""
    return (one.ask.at_ms for one in batch.records if isinstance(one, Decided))


@dataclass(slots=True)
class LeftOut:
    """What could not be read of a log."""

    damage: list[Damage] = field(default_factory=list)
    """The first of them."""
    places: int = 0
    """All of them."""
    decisions: int | None = None
    """That the log should hold and that were not read; None where nobody knows."""


MOST_TOLD = 100
Content = Header | Batch | list[Noted] | End


class LogReader:
    """Reads a log from its beginning to its end, once.

    Args:
        path: of the file.
        partial: go on behind damage; else it is raised.
    """

    def __init__(self, path: Path, *, partial: bool = False) -> None:
        self._path, self._partial = path, partial
        self.size_bytes = path.stat().st_size
        self.read_bytes = 0
        """So far."""
        self.left_out = LeftOut()
        self._decisions = 0
        self._end: End | None = None

    def __iter__(self) -> Iterator[Content]:
        """What it says, in order. Raises LogDamaged, OSError."""
        with self._path.open("rb") as file:
            for one in blocks(file):
                content = one if isinstance(one, Damage) else self._content(one)
                if isinstance(content, Damage):
                    self._damaged(content)
                    continue
                self.read_bytes = file.tell()
                yield content
        if self.left_out.places and self._end is not None:
            self.left_out.decisions = max(0, self._end.decisions - self._decisions)

    def _damaged(self, damage: Damage) -> None:
        if not self._partial or damage.what in ("no_log", "other_version"):
            raise LogDamaged(str(self._path), damage)
        self.left_out.places += 1
        if len(self.left_out.damage) < MOST_TOLD:
            self.left_out.damage.append(damage)

    def _content(self, block: Block) -> Content | Damage:
        at = self.read_bytes
        try:
            content = _decoded(block)
        except (ValueError, InvalidMessage) as error:
            return Damage("unreadable", at, block.number, f"cannot be understood: {error}")
        if isinstance(content, Header) and content.records != FORMAT:
            message = f"records of format {content.records}, and format {FORMAT} is understood"
            return Damage("other_version", at, block.number, message)
        if isinstance(content, Recorded):
            return self._batch(content, block.number)
        if isinstance(content, End):
            self._end = content
        return content

    def _batch(self, recorded: Recorded, number: int) -> Batch | Damage:
        at = self.read_bytes
        try:
            batch = read_batch(recorded.data)
        except InvalidMessage as error:
            return Damage("unreadable", at, number, f"cannot be understood: {error.message}")
        if batch.plane != recorded.plane:
            message = f"records of {batch.plane} stand under the name of {recorded.plane}"
            return Damage("other_plane", at, number, message)
        self._decisions += sum(1 for _ in decided_ms(batch))
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
