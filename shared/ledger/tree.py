"""A Merkle tree as RFC 6962 has it, of which only the right edge is kept (pure)."""

from collections.abc import Sequence
from hashlib import sha256

from shared.ledger.canonical import node_hash


class Frontier:
    """Appends leaves and knows the root; 32 bytes for each bit of the size.

    Args:
        size: of a tree that is gone on with.
        peaks: the roots of its whole subtrees, the largest first.

    Raises:
        ValueError: so many peaks do not belong to that size.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} has {size.bit_count()} peaks, not {len(peaks)}")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        """One more leaf, hashed already."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root
