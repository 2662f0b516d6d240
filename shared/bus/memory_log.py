"""Streams and buckets in memory: messages in order, and someone told when there are more."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.bus.matching import matches
from shared.bus.model import Stored
from shared.errors import BusFailed

_IDS = 4096
"""So many ids of messages are remembered; a server counts seconds instead."""


@dataclass(slots=True)
class Line:
    """One message of a log."""

    sequence: int
    subject: str
    data: bytes | None
    """None: a bucket's mark that the key is gone."""


@dataclass(slots=True)
class Log:
    """What one stream or bucket keeps."""

    subjects: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    per_subject: int | None = None
    max_bytes: int = 0
    refuses_when_full: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Replaced by a new one when it is set."""
    _lines: list[Line] = field(default_factory=list)
    _ids: dict[str, int] = field(default_factory=dict)
    _sequence: int = 0
    _bytes: int = 0

    def add(
        self,
        subject: str,
        data: bytes | None,
        message_id: str | None = None,
        *,
        replaces: bool = False,
    ) -> int:
        """Its sequence; the first one's where the id is known. Raises BusFailed: it is full."""
        if message_id is not None and message_id in self._ids:
            return self._ids[message_id]
        line = Line(self._sequence + 1, subject, data)
        if self.refuses_when_full and self._bytes + _size(line) > self.max_bytes:
            raise BusFailed(f"nothing more is kept of {subject}: maximum bytes exceeded")
        if replaces:
            self.drop(lambda old: old.subject == subject)
        self._sequence += 1
        self._lines.append(line)
        self._bytes += _size(line)
        if message_id is not None:
            self._remember(message_id)
        self._forget(subject)
        self.wake()
        return self._sequence

    def knows(self, message_id: str) -> bool:
        """Whether a message of this id was kept already."""
        return message_id in self._ids

    def last(self, subject: str) -> Line | None:
        """The latest of one subject."""
        return next((line for line in reversed(self._lines) if line.subject == subject), None)

    def after(self, sequence: int, pattern: str) -> Iterator[Line]:
        """What is there now, in order."""
        kept = list(self._lines)
        return (
            line for line in kept if line.sequence > sequence and matches(pattern, line.subject)
        )

    def latest(self, pattern: str) -> list[Line]:
        """The last of each subject, in the order of their sequences."""
        by_subject = {line.subject: line for line in self.after(0, pattern)}
        return sorted(by_subject.values(), key=lambda line: line.sequence)

    def drop(self, which: Callable[[Line], bool]) -> int:
        """Forgets lines. Returns how many."""
        gone = [line for line in self._lines if which(line)]
        for line in gone:
            self._drop(line)
        return len(gone)

    def wake(self) -> None:
        """Tells who waits for `changed` to look again."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def _remember(self, message_id: str) -> None:
        self._ids[message_id] = self._sequence
        if len(self._ids) > _IDS:
            del self._ids[next(iter(self._ids))]

    def _forget(self, subject: str) -> None:
        same = [line for line in self._lines if line.subject == subject]
        if self.per_subject is not None and len(same) > self.per_subject:
            self._drop(same[0])
        while self._bytes > self.max_bytes and self._lines:
            self._drop(self._lines[0])

    def _drop(self, line: Line) -> None:
        self._lines.remove(line)
        self._bytes -= _size(line)


def _size(line: Line) -> int:
    return len(line.subject) + len(line.data or b"")


def stored(line: Line) -> Stored:
    """A line as readers of a stream get it."""
    return Stored(line.sequence, line.subject, line.data or b"")


class Logs:
    """All streams and buckets, by name and domain; copying from one another as they were told."""

    def __init__(self) -> None:
        self._logs: dict[str, Log] = {}

    def ensure(self, name: str, make: Callable[[], Log]) -> None:
        """A log of that name as `make` has it; an older one keeps its lines."""
        fresh = make()
        if (log := self._logs.get(name)) is None:
            self._logs[name] = fresh
            self._copy_what_is_there(fresh)
            return
        log.subjects, log.sources = fresh.subjects, fresh.sources
        log.per_subject, log.max_bytes = fresh.per_subject, fresh.max_bytes
        log.refuses_when_full = fresh.refuses_when_full

    def get(self, name: str) -> Log | None:
        """None where it was never made."""
        return self._logs.get(name)

    def keep(
        self,
        subject: str,
        data: bytes,
        message_id: str | None = None,
        *,
        replaces: bool = False,
    ) -> int | None:
        """In every log that keeps the subject. Returns the first one's sequence; None for none."""
        sequence = None
        for name, log in self._logs.items():
            if any(matches(pattern, subject) for pattern in log.subjects):
                known = message_id is not None and log.knows(message_id)
                kept = log.add(subject, data, message_id, replaces=replaces)
                sequence = kept if sequence is None else sequence
                if not known:
                    self._copy(name, subject, data)
        return sequence

    def wake(self) -> None:
        """Everybody who waits for a log looks again."""
        for log in self._logs.values():
            log.wake()

    def _copy(self, source: str, subject: str, data: bytes) -> None:
        for log in self._logs.values():
            if source in log.sources:
                log.add(subject, data)

    def _copy_what_is_there(self, log: Log) -> None:
        for source in log.sources:
            if (other := self._logs.get(source)) is not None:
                for line in other.after(0, ">"):
                    log.add(line.subject, line.data)
