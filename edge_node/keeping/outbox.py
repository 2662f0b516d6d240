"""What waits to be kept in one place: bounded, each item once, in order. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

OVERHEAD_BYTES = 512
"""Of an item beside its data and its names, generously."""
MOST_ENDS = 20_000
Dropped = Literal["no_room", "too_late", "deleted"]


@dataclass(frozen=True, slots=True)
class Item:
    """One message for one store."""

    session: str
    subject: str
    message_id: str
    data: bytes
    until_ms: int
    """Since 1970: it may not be kept longer."""
    replaces: bool = False
    """What was kept of its subject goes when it is kept."""
    ends: bool = False
    """Says that nothing is to be left of its subject; it is itself kept for a moment."""

    @property
    def size_bytes(self) -> int:
        """In memory."""
        names = len(self.session) + len(self.subject) + len(self.message_id)
        return len(self.data) + names + OVERHEAD_BYTES


class Outbox:
    """Items that are not kept yet.

    Where room is short the new one is not taken: what was said first is kept first. One that ends
    its subject takes along what still waits of it, and room for such ones is counted apart.

    Args:
        most_bytes: in memory.
        most_ends: items that end their subjects.
    """

    def __init__(self, most_bytes: int, most_ends: int = MOST_ENDS) -> None:
        self._most_bytes, self._most_ends = most_bytes, most_ends
        self._items: dict[str, Item] = {}
        self._by_subject: dict[str, dict[str, None]] = {}
        self._bytes = self._ends = 0
        self.dropped: Counter[Dropped] = Counter()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def size_bytes(self) -> int:
        """Of all items."""
        return self._bytes

    def add(self, item: Item) -> bool:
        """Whether it is taken; one that waits already changes nothing."""
        if item.message_id in self._items:
            return True
        if item.ends or item.replaces:
            self.drop(item.subject)
        full = self._bytes + item.size_bytes > self._most_bytes
        if self._ends >= self._most_ends if item.ends else full:
            self.dropped["no_room"] += 1
            return False
        self._items[item.message_id] = item
        self._by_subject.setdefault(item.subject, {})[item.message_id] = None
        self._bytes += item.size_bytes
        self._ends += item.ends
        return True

    def first(self, count: int, now_ms: int) -> list[Item]:
        """Those whose turn it is; they stay until `done`. What has come too late is dropped.

        Args:
            count: at most so many.
            now_ms: since 1970.
        """
        found: list[Item] = []
        for item in tuple(self._items.values()):
            if len(found) == count:
                break
            if item.until_ms <= now_ms and not item.ends:
                self.dropped["too_late"] += 1
                self._forget(item)
            else:
                found.append(item)
        return found

    def done(self, item: Item) -> None:
        """It is kept. One that was dropped meanwhile is no error."""
        if item.message_id in self._items:
            self._forget(item)

    def drop(self, subject: str) -> None:
        """Nothing of it is needed any more."""
        for name in tuple(self._by_subject.get(subject, ())):
            self._forget(self._items[name])

    def delete(self, session: str) -> int:
        """Drops what waits of a session whose content is deleted. Returns how many."""
        ours = [one for one in self._items.values() if one.session == session and not one.ends]
        for item in ours:
            self._forget(item)
        self.dropped["deleted"] += len(ours)
        return len(ours)

    def _forget(self, item: Item) -> None:
        del self._items[item.message_id]
        self._bytes -= item.size_bytes
        self._ends -= item.ends
        names = self._by_subject[item.subject]
        del names[item.message_id]
        if not names:
            del self._by_subject[item.subject]
