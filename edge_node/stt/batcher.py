"""Who is in the next batch: full batch, deadline or haste, oldest first. Pure: time is passed in.

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
        self._in_flight: dict[K, bool | None] = {}
        """Stream: whether it became ready again meanwhile, and if so, whether urgently."""
        self._urgent: set[K] = set()
        self._members: set[K] = set()

    def __len__(self) -> int:
        return len(self._ready)

    def join(self, key: K) -> None:
        """A stream that may become ready. While all that joined wait, nobody waits for company."""
        self._members.add(key)

    def ready(self, key: K, now_s: float, *, urgent: bool = False) -> bool:
        """A stream has something to do. Said again, it keeps its place.

        Where it is `urgent`, somebody waits for the answer: the next batch leaves without waiting.

        Returns:
            Whether `due_s` changed: the queue was empty, is now full, or must not wait.
        """
        if key in self._in_flight:
            self._in_flight[key] = urgent or bool(self._in_flight[key])
            return False
        hurries = urgent and not self._urgent
        if urgent:
            self._urgent.add(key)
        if key in self._ready:
            return hurries
        self._ready[key] = now_s
        return hurries or len(self._ready) in {1, self._whole()}

    def due_s(self) -> float | None:
        """When the next batch must leave; None with an empty queue."""
        if not self._ready:
            return None
        oldest_s = next(iter(self._ready.values()))
        at_once = self._urgent or len(self._ready) >= self._whole()
        return oldest_s if at_once else oldest_s + self._rules.max_wait_s

    def take(self, now_s: float) -> list[K]:
        """The batch that leaves now, oldest first; empty if none is due."""
        due_s = self.due_s()
        if due_s is None or due_s > now_s:
            return []
        batch = [self._ready.popitem(last=False)[0] for _ in range(self._size())]
        self._urgent.difference_update(batch)
        self._in_flight.update(dict.fromkeys(batch))
        return batch

    def _whole(self) -> int:
        """As many as a batch can become."""
        return min(self._rules.max_streams, len(self._members))

    def _size(self) -> int:
        return min(len(self._ready), self._rules.max_streams)

    def done(self, key: K, now_s: float, *, again: bool, urgent: bool = False) -> None:
        """A stream is back from the device; `again` if it still has something to do."""
        meanwhile = self._in_flight.pop(key, None)
        if again or meanwhile is not None:
            self.ready(key, now_s, urgent=urgent or bool(meanwhile))

    def drop(self, key: K) -> None:
        """Forgets a stream that left."""
        self._ready.pop(key, None)
        self._in_flight.pop(key, None)
        self._urgent.discard(key)
        self._members.discard(key)
