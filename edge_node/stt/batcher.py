"""Who is in the next batch: full batch or deadline, oldest first. Pure: time is passed in.

A stream is in the queue at most once and in flight at most once, so at most one chunk of it is
on the device at any time.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class BatchRules:
    """How long a ready chunk waits for company, and how many go together."""

    max_streams: int = 32
    """Streams in one model call. More streams a device, and a slower call for each of them."""
    max_wait_s: float = 0.01
    """Added to the latency of a chunk that finds no company."""


class Batcher(Generic[K]):
    """The queue before the device."""

    def __init__(self, rules: BatchRules) -> None:
        self._rules = rules
        self._ready: OrderedDict[K, float] = OrderedDict()
        self._in_flight: dict[K, bool] = {}
        """Stream: whether it became ready again meanwhile."""

    def __len__(self) -> int:
        return len(self._ready)

    def ready(self, key: K, now_s: float) -> bool:
        """A stream has something to do. Said again, it keeps its place.

        Returns:
            Whether `due_s` changed: the queue was empty, or is now full.
        """
        if key in self._in_flight:
            self._in_flight[key] = True
            return False
        if key in self._ready:
            return False
        self._ready[key] = now_s
        return len(self._ready) in {1, self._rules.max_streams}

    def due_s(self) -> float | None:
        """When the next batch must leave; None with an empty queue."""
        if not self._ready:
            return None
        oldest_s = next(iter(self._ready.values()))
        full = len(self._ready) >= self._rules.max_streams
        return oldest_s if full else oldest_s + self._rules.max_wait_s

    def take(self, now_s: float) -> list[K]:
        """The batch that leaves now, oldest first; empty if none is due."""
        due_s = self.due_s()
        if due_s is None or due_s > now_s:
            return []
        batch = [self._ready.popitem(last=False)[0] for _ in range(self._size())]
        self._in_flight.update(dict.fromkeys(batch, False))
        return batch

    def _size(self) -> int:
        return min(len(self._ready), self._rules.max_streams)

    def done(self, key: K, now_s: float, *, again: bool) -> None:
        """A stream is back from the device; `again` if it still has something to do."""
        became_ready = self._in_flight.pop(key, False)
        if again or became_ready:
            self.ready(key, now_s)

    def drop(self, key: K) -> None:
        """Forgets a stream that left."""
        self._ready.pop(key, None)
        self._in_flight.pop(key, None)
