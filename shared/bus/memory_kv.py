"""A bucket in memory."""

from collections.abc import AsyncIterator
from typing import Protocol

from shared.bus.matching import checked, checked_key
from shared.bus.memory_log import Line, Log
from shared.bus.model import Entry


class Keeper(Protocol):
    """Whoever has the logs."""

    def log(self, name: str, *, or_cut: bool = False) -> Log:
        """Raises BusFailed."""
        ...


class MemoryKeyValues:
    """See KeyValues."""

    def __init__(self, keeper: Keeper, name: str) -> None:
        self._keeper, self._name = keeper, name

    async def get(self, key: str) -> Entry | None:
        """See KeyValues."""
        line = self._log().last(checked_key(key))
        return None if line is None or line.data is None else _entry(line)

    async def put(self, key: str, value: bytes) -> int:
        """See KeyValues."""
        return self._log().add(checked_key(key), value)

    async def create(self, key: str, value: bytes) -> int | None:
        """See KeyValues."""
        return None if await self.get(key) else await self.put(key, value)

    async def update(self, key: str, value: bytes, revision: int) -> int | None:
        """See KeyValues."""
        line = self._log().last(checked_key(key))
        if line is None or line.sequence != revision:
            return None
        return await self.put(key, value)

    async def delete(self, key: str) -> None:
        """See KeyValues."""
        self._log().add(checked_key(key), None)

    async def keys(self) -> tuple[str, ...]:
        """See KeyValues."""
        return tuple(sorted(n.subject for n in self._log().latest(">") if n.data is not None))

    async def watch(self, keys: str = ">") -> AsyncIterator[Entry | None]:
        """See KeyValues."""
        checked(keys, pattern=True)
        log, after = self._log(), 0
        for line in log.latest(keys):
            yield _entry(line)
            after = line.sequence
        yield None
        while True:
            log = self._keeper.log(self._name, or_cut=True)
            changed = log.changed
            for line in log.after(after, keys):
                yield _entry(line)
                after = line.sequence
            await changed.wait()

    def _log(self) -> Log:
        return self._keeper.log(self._name)


def _entry(line: Line) -> Entry:
    return Entry(line.subject, line.data, line.sequence)
