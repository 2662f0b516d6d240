"""Which batches belong into a log of some hours: from where reading can begin. Pure."""

from collections.abc import Iterator

from control_plane.placement.record import Batch, Snapshot
from control_plane.records.log import decided_ms

Kept = tuple[Batch, bytes]
MOST_WAITING = 4096
"""Batches of one start of a control plane that wait for a decision in time. More hold more than
five minutes, and then a snapshot was lost."""


class Chooser:
    """Batches in, those that belong out; each start of a control plane by itself.

    Args:
        from_ms: decisions from then on; what stands between them and the snapshot before is kept.
        until_ms: decisions before then. None for all, both.
    """

    def __init__(self, from_ms: int | None = None, until_ms: int | None = None) -> None:
        self._from_ms, self._until_ms = from_ms, until_ms
        self._waiting: dict[tuple[str, str], list[Kept] | None] = {}
        self._over: set[tuple[str, str]] = set()

    def chosen(self, batch: Batch, data: bytes) -> Iterator[Kept]:
        """What goes into the log now."""
        start = (batch.plane, batch.start)
        times = list(decided_ms(batch))
        if self._until_ms is not None and times and times[0] >= self._until_ms:
            self._over.add(start)
        if start in self._over:
            return
        waiting = self._waiting.setdefault(start, [] if self._from_ms is not None else None)
        if waiting is None:
            yield batch, data
            return
        if any(isinstance(one, Snapshot) for one in batch.records) or len(waiting) > MOST_WAITING:
            waiting.clear()
        waiting.append((batch, data))
        if self._from_ms is not None and times and times[-1] >= self._from_ms:
            self._waiting[start] = None
            yield from waiting
