"""A bounded memory of what a pure function said: equal questions, the same answer, less work."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """Answers by question. The oldest is forgotten when it is full.

    Args:
        most: answers kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Key, Value] = {}

    def of(self, key: Key, work: Callable[[], Value]) -> Value:
        """The answer, worked out where it is not known."""
        known = self._kept.get(key)
        if known is not None:
            return known
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        answer = self._kept[key] = work()
        return answer
