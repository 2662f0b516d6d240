"""Who has run out of time, where everybody gets the same time (pure)."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class Deadlines(Generic[Item]):
    """Items in the order in which their time runs out.

    One time for all keeps them sorted by insertion, so adding, dropping and looking cost the same
    for one connection and for ten thousand.
    """

    def __init__(self, allowed_s: float) -> None:
        self._allowed_s = allowed_s
        self._due_s: dict[Item, float] = {}

    def __len__(self) -> int:
        return len(self._due_s)

    def __contains__(self, item: Item) -> bool:
        return item in self._due_s

    def start(self, item: Item, now_s: float) -> None:
        """Gives `item` its time from now, afresh if it had some left."""
        self._due_s.pop(item, None)
        self._due_s[item] = now_s + self._allowed_s

    def stop(self, item: Item) -> None:
        """Forgets `item`; it did what was asked, or is gone."""
        self._due_s.pop(item, None)

    def expired(self, now_s: float) -> list[Item]:
        """Those whose time is up, oldest first; each is forgotten."""
        late: list[Item] = []
        for item, due_s in self._due_s.items():
            if due_s > now_s:
                break
            late.append(item)
        for item in late:
            del self._due_s[item]
        return late

    def oldest(self) -> Item | None:
        """The one whose time is up next; it is forgotten."""
        item = next(iter(self._due_s), None)
        if item is not None:
            del self._due_s[item]
        return item
