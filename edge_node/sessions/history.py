"""The story of a session: bounded, printable, free of speech."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, and where the audio stood then."""

    what: str
    sample: int
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.sample:>10}  {self.what}" + (f": {self.detail}" if self.detail else "")


class History:
    """The latest `limit` entries; what was dropped before them is counted."""

    def __init__(self, limit: int = 64) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._count = 0

    def note(self, what: str, sample: int, detail: str = "") -> None:
        """Adds an entry. Never pass words or identities."""
        self._count += 1
        self._entries.append(Entry(what, sample, detail))

    def __len__(self) -> int:
        return self._count

    def __str__(self) -> str:
        dropped = self._count - len(self._entries)
        lines = [f"... {dropped} earlier"] if dropped else []
        return "\n".join(lines + [str(entry) for entry in self._entries])
