"""The blocks that a log of decisions is made of. Pure.

    marker 4 | version 1 | kind 1 | log 8 | number 4 | length 4 | time 8 | check 16 | payload

Numbers count from 0, in the order of the file, little-endian. The time is that of the first
decision in the block, or else of the last one before it: a log can be cut by it. The check is of
all that stands before and behind it, so a block that was changed does not pass.
"""

import hashlib
import struct
from enum import IntEnum
from typing import NamedTuple

MARKER = b"\x89HVL"
"""No text, and no packed batch, begins so."""
VERSION = 1
MOST_BYTES = 16 * 2**20
"""Of a payload. What travels on the bus is a sixteenth of it at most."""
_HEAD = struct.Struct("<4sBB8sIIQ")
_CHECK = 16
HEAD_BYTES = _HEAD.size + _CHECK


class Kind(IntEnum):
    """What a block holds."""

    HEADER = 0
    BATCH = 1
    """Records of one control plane, as the stream keeps them."""
    NOTES = 2
    """Beginnings and ends of sessions."""
    END = 3
    """The last one: what there should be before it."""


class Block(NamedTuple):
    """One of them."""

    kind: Kind
    log: bytes
    """Of all blocks of one log, and of no other."""
    number: int
    at_ms: int
    payload: bytes


class Head(NamedTuple):
    """What stands before a payload."""

    version: int
    kind: int
    log: bytes
    number: int
    length: int
    at_ms: int
    check: bytes


def pack_block(block: Block) -> bytes:
    """A block as it is written."""
    head = _HEAD.pack(
        MARKER, VERSION, block.kind, block.log, block.number, len(block.payload), block.at_ms
    )
    return head + _check(head, block.payload) + block.payload


def read_head(data: bytes) -> Head | None:
    """What stands at the beginning of some bytes; None where that is no head."""
    if len(data) < HEAD_BYTES or not data.startswith(MARKER):
        return None
    _, version, kind, log, number, length, at_ms = _HEAD.unpack_from(data)
    return Head(version, kind, log, number, length, at_ms, bytes(data[_HEAD.size : HEAD_BYTES]))


def is_whole(head: Head, data: bytes) -> bool:
    """Whether head and payload are as they were written.

    Args:
        head: of `read_head`.
        data: the whole block.
    """
    payload = data[HEAD_BYTES : HEAD_BYTES + head.length]
    return len(payload) == head.length and _check(data[: _HEAD.size], payload) == head.check


def _check(head: bytes, payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECK, key=head).digest()
