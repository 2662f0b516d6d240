"""A log's blocks out of a file, with everything that is wrong with them on the way.

Nothing here stops at damage: it is handed out in its place, and reading goes on behind it. Memory
is that of one block.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from control_plane.records.blocks import (
    HEAD_BYTES,
    MARKER,
    MOST_BYTES,
    VERSION,
    Block,
    Head,
    Kind,
    is_whole,
    read_head,
)
from control_plane.records.damage import Damage

_WINDOW = 2**20


class Placed(NamedTuple):
    """A block, and where it begins."""

    at_byte: int
    block: Block


def blocks(file: BinaryIO, begin: tuple[int, int] = (0, 0)) -> Iterator[Placed | Damage]:
    """Whatever stands in a file that can be sought in, in its order.

    Args:
        file: the log.
        begin: the byte and the number of the block to begin with.
    """
    at, order = begin[0], _Order(begin[1])
    while True:
        found = _block_at(file, at)
        if found is None:
            yield from order.end(at)
            return
        if isinstance(found, Block):
            yield from order.next(found, at)
            at += HEAD_BYTES + len(found.payload)
            continue
        behind = None if found.what in ("no_log", "other_version") else _next(file, at)
        if behind is not None and found.what == "truncated":
            found = Damage("changed", at, found.block, "bytes of it are not there")
        yield order.told(found)
        if behind is None:
            yield from order.end(at, broken=True)
            return
        at = behind


def _block_at(file: BinaryIO, at: int) -> Block | Damage | None:
    """The block that begins here; None at the end of the file."""
    file.seek(at)
    start = file.read(HEAD_BYTES)
    if not start:
        return None
    head = read_head(start)
    if head is None:
        return _no_head(start, at)
    if head.version != VERSION:
        message = f"a log of version {head.version}, and version {VERSION} is understood"
        return Damage("other_version", at, None, message)
    if head.length > MOST_BYTES:
        return Damage("changed", at, None, "no block is so long: its head was changed")
    payload = file.read(head.length)
    return _checked(head, start + payload, at)


def _checked(head: Head, data: bytes, at: int) -> Block | Damage:
    if len(data) < HEAD_BYTES + head.length:
        missing = HEAD_BYTES + head.length - len(data)
        return Damage("truncated", at, head.number, f"ends {missing} bytes before the block does")
    if not is_whole(head, data) or head.kind not in set(Kind):
        return Damage("changed", at, head.number, "is not what was written: its check fails")
    return Block(Kind(head.kind), head.log, head.number, head.at_ms, data[HEAD_BYTES:])


def _no_head(start: bytes, at: int) -> Damage:
    if at == 0 and not start.startswith(MARKER):
        return Damage("no_log", 0, None, "this is no log of decisions")
    if len(start) < HEAD_BYTES and MARKER.startswith(start[: len(MARKER)]):
        return Damage("truncated", at, None, "ends within the head of a block")
    return Damage("changed", at, None, "no block begins here")


def _next(file: BinaryIO, at: int) -> int | None:
    """Where the next whole block begins, behind a broken one."""
    position = at + 1
    while True:
        file.seek(position)
        window = file.read(_WINDOW)
        found = window.find(MARKER)
        while found >= 0:
            if isinstance(_block_at(file, position + found), Block):
                return position + found
            found = window.find(MARKER, found + 1)
        if len(window) < _WINDOW:
            return None
        position += _WINDOW - len(MARKER) + 1


class _Order:
    """Whether blocks come as they were numbered, all of one log."""

    def __init__(self, due: int) -> None:
        self._log: bytes | None = None
        self._due = due
        self._missing: set[int] = set()
        self._over = self._broken = False

    def told(self, damage: Damage) -> Damage:
        """Something that cannot be read: what is missing next is explained by it."""
        self._broken = True
        return damage

    def next(self, block: Block, at: int) -> Iterator[Placed | Damage]:
        """A block, or what is wrong with its place."""
        self._log = self._log or block.log
        number = block.number
        if block.log != self._log:
            yield Damage("other_log", at, number, "belongs to another log")
        elif number < self._due:
            known = number in self._missing
            self._missing.discard(number)
            yield (
                Damage("out_of_order", at, number, f"stands behind block {self._due - 1}")
                if known
                else Damage("repeated", at, number, "was there before")
            )
        else:
            yield from self._gap(number, at)
            self._due, self._over = number + 1, block.kind is Kind.END
            yield Placed(at, block)

    def _gap(self, number: int, at: int) -> Iterator[Damage]:
        if number > self._due:
            self._missing.update(range(self._due, number))
            if not self._broken:
                count = number - self._due
                blocks_ = f"block {self._due} is" if count == 1 else (
                    f"blocks {self._due} to {number - 1} are"
                )  # fmt: skip
                yield Damage("missing", at, self._due, f"{blocks_} not there")
        self._broken = False

    def end(self, at: int, *, broken: bool = False) -> Iterator[Damage]:
        """Nothing follows."""
        if not self._over and not broken:
            what = "it is empty" if not self._due else f"ends behind block {self._due - 1}"
            message = f"{what}: the block that says what there should be is not there"
            yield Damage("truncated", at, None, message)
