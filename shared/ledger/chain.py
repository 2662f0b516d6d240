"""A node's ledger as a chain: every record is numbered and names the one before (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.ledger.canonical import NOTHING, canonical, leaf_hash
from shared.ledger.records import Record
from shared.ledger.tree import Frontier


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is written down."""

    boot: str
    at_ms: int
    """Since 1970, by the node's wall clock."""
    up_ms: int
    """Since the node started, by its monotonic clock: orders what a wall clock may not."""


class Place(msgspec.Struct, frozen=True):
    """How far a chain has come: enough to go on with it."""

    size: int
    chain: str
    """The hash of the last record."""
    peaks: tuple[str, ...]


START = Place(0, NOTHING, ())


class Chain:
    """Makes lines of records.

    Args:
        place: where to go on. Raises ValueError for one that cannot be.
    """

    def __init__(self, place: Place = START) -> None:
        self._tree = Frontier(place.size, [bytes.fromhex(peak) for peak in place.peaks])
        self._last = place.chain

    @property
    def size(self) -> int:
        """Records so far; also the number of the next one."""
        return self._tree.size

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.size, self._last, tuple(peak.hex() for peak in self._tree.peaks))

    @property
    def root(self) -> str:
        """Of all records so far, in hex."""
        return self._tree.root().hex()

    def add(self, record: Record, moment: Moment) -> bytes:
        """The record's line, without its end."""
        body: dict[str, Any] = msgspec.to_builtins(record)
        line = canonical(
            body
            | {
                "n": self.size,
                "prev": self._last,
                "boot": moment.boot,
                "at_ms": moment.at_ms,
                "up_ms": moment.up_ms,
            }
        )
        self.take(line)
        return line

    def take(self, line: bytes) -> None:
        """Goes on with a line that was written before."""
        leaf = leaf_hash(line)
        self._tree.append(leaf)
        self._last = leaf.hex()


def place_of(lines: Sequence[bytes], before: Place = START) -> Place:
    """Where a chain stands after some lines."""
    chain = Chain(before)
    for line in lines:
        chain.take(line)
    return chain.place
