"""One way to write a value down, and the hashes of RFC 6962 over what was written (pure)."""

from hashlib import sha256
from typing import Any

import msgspec

LEAF, NODE = b"\x00", b"\x01"
"""What goes before a leaf and before two halves, so that neither passes for the other."""
NOTHING = "0" * 64
"""Stands where the first record would name the one before."""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, no fractions: equal values have equal bytes."""
    return msgspec.json.encode(value, order="sorted")


def digest(value: Any) -> str:
    """The SHA-256 of a value as it is written down, in hex."""
    return sha256(canonical(value)).hexdigest()


def leaf_hash(line: bytes) -> bytes:
    """Of a record, as it is written down without the end of its line."""
    return sha256(LEAF + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of two halves of a tree."""
    return sha256(NODE + left + right).digest()
