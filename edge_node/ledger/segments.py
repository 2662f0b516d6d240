"""A ledger on disk: files of lines, each beginning where the one before ends. Blocks: for threads.

FOLDER/000000000000.jsonl       records from number 0 on
FOLDER/000000000000.json        where the chain stood before them, and which sessions were open
"""

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec

from shared.files import write_private
from shared.ledger.chain import START, Chain, Place
from shared.ledger.standing import Open, Standing

SEGMENT_BYTES = 16 << 20


class Before(msgspec.Struct, frozen=True):
    """What is to be known of all that came before a segment."""

    place: Place = START
    open: dict[str, Open] = {}


class LedgerDamaged(ValueError):
    """Records that were signed are not what they were."""


class LedgerFull(OSError):
    """The ledger has come to its limit, and nothing of it may be thrown away yet."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file."""

    path: Path
    first: int
    """The number of its first record."""


class Segments:
    """One ledger on disk. What is appended is on the disk when `append` returns.

    Args:
        folder: of this ledger alone.
        max_bytes: of all files together.
        segment_bytes: of one; then another is begun.
    """

    def __init__(self, folder: Path, max_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder, self._max_bytes, self._segment_bytes = folder, max_bytes, segment_bytes
        self.chain, self.standing = Chain(), Standing()
        self.torn_bytes = 0
        self._file: int | None = None
        self._good_bytes = 0

    def recover(self, signed: int) -> None:
        """Reads what the last start left; a line that was being written is cut off.

        Args:
            signed: so many records were signed: they are all there, or it is damaged.

        Raises:
            LedgerDamaged, OSError.
        """
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        segments = self.segments()
        before = Before() if not segments else _before(segments[-1])
        self.chain, self.standing = Chain(before.place), Standing(dict(before.open))
        if not segments:
            self._begin()
            return
        path = segments[-1].path
        self._good_bytes = self._read(path.read_bytes(), signed)
        self._file = os.open(path, os.O_WRONLY)
        self._cut()

    def append(self, lines: bytes) -> None:
        """Whole lines, with their ends. Raises OSError, and then nothing of them is there."""
        if self._file is None:
            raise OSError("the ledger is not open")
        if self._good_bytes >= self._segment_bytes:
            self._begin()
        try:
            self._write(lines)
        except OSError:
            self._cut()
            raise
        self._good_bytes += len(lines)
        for line in lines.splitlines():
            self.chain.take(line)
            self.standing.take(msgspec.json.decode(line))

    def segments(self) -> list[Segment]:
        """All files, the oldest first."""
        found = [path for path in self.folder.glob("*.jsonl") if path.stem.isdigit()]
        return [Segment(path, int(path.stem)) for path in sorted(found)]

    def make_room(self, kept_elsewhere: int) -> None:
        """Throws away old files while all together are too big.

        Args:
            kept_elsewhere: records before this number are signed and kept by the region: the
                others are never thrown away.

        Raises:
            LedgerFull: too big, and nothing may be thrown away.
        """
        segments = self.segments()
        size = sum(one.path.stat().st_size for one in segments)
        for one, following in pairwise(segments):
            if size <= self._max_bytes or following.first > kept_elsewhere:
                break
            size -= one.path.stat().st_size
            one.path.unlink()
            one.path.with_suffix(".json").unlink(missing_ok=True)
        if size > self._max_bytes:
            raise LedgerFull(f"the ledger has {size} bytes, and the region keeps no copy yet")

    def close(self) -> None:
        """May be repeated."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self) -> None:
        """Another file, which a later start can go on from without those before it."""
        self.close()
        place = self.chain.place
        path = self.folder / f"{place.size:012d}.jsonl"
        before = Before(place, dict(self.standing.open))
        write_private(path.with_suffix(".json"), msgspec.json.encode(before))
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        self._good_bytes = 0
        self._cut()
        _sync_folder(self.folder)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        os.fdatasync(self._file)

    def _cut(self) -> None:
        """Back to the last whole record."""
        assert self._file is not None
        os.ftruncate(self._file, self._good_bytes)
        os.lseek(self._file, self._good_bytes, os.SEEK_SET)

    def _read(self, data: bytes, signed: int) -> int:
        """Takes the records of the last file; returns up to where they are good."""
        good = 0
        for line in data.splitlines(keepends=True):
            if not line.endswith(b"\n") or not self._follows(line[:-1]):
                break
            good += len(line)
        self.torn_bytes = len(data) - good
        if self.chain.size < signed:
            raise LedgerDamaged(f"{self.folder}: {self.chain.size} good records, {signed} signed")
        return good

    def _follows(self, line: bytes) -> bool:
        try:
            record = msgspec.json.decode(line)
            place = self.chain.place
            if (record["n"], record["prev"]) != (place.size, place.chain):
                return False
            self.standing.take(record)
        except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError):
            return False
        self.chain.take(line)
        return True


def read_segment(segment: Segment) -> tuple[Place, list[bytes]]:
    """A file's records, and where the chain stood before them. Raises OSError."""
    lines = segment.path.read_bytes().splitlines(keepends=True)
    return _before(segment).place, [line[:-1] for line in lines if line.endswith(b"\n")]


def _before(segment: Segment) -> Before:
    try:
        return msgspec.json.decode(segment.path.with_suffix(".json").read_bytes(), type=Before)
    except msgspec.DecodeError as error:
        raise LedgerDamaged(f"{segment.path}: not known where it begins") from error


def _sync_folder(folder: Path) -> None:
    """So that a file's name is as durable as what is in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
