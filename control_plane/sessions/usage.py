"""What was used, by tenant, region and model: derived from notes, never the other way (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from heliovox.protocol.control import UsageView
from shared.exchange import SessionNote

Here = tuple[int, int]
"""At one start of a node: characters, paused_ms."""
REMEMBERED_ENDED = 50_000
"""Ended sessions whose notes, should they come again, add nothing."""


@dataclass(slots=True)
class _Session:
    """Counted so far."""

    audio_ms: int = 0
    """Of the whole session: whichever node heard it first, it counts once."""
    boots: dict[str, Here] = field(default_factory=dict)
    paused: tuple[str, int, int] | None = None
    """Where its connection was lost, when, and what that node counted of it then."""
    resumed_ms: int = 0


class Usage:
    """Totals. Notes carry a session's sums so far: one that comes twice, or late, adds nothing.

    A session that goes on at another node is one session: its audio counts where it was heard
    first, and the pause between two nodes where it went on.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str | None], UsageView] = {}
        self._open: dict[str, _Session] = {}
        self._ended: dict[str, _Session] = {}

    @property
    def open_sessions(self) -> int:
        """Sessions whose end has not been noted."""
        return len(self._open)

    def noted(self, note: SessionNote) -> None:
        """Adds what is new in a note."""
        name = note.session
        session = self._ended.get(name) or self._open.get(name)
        started = session is None
        session = session or _Session()
        self._add(note, _grown(session, note), started=started)
        if name in self._ended or note.event == "ended":
            self._open.pop(name, None)
            self._ended.pop(name, None)
            self._ended[name] = session
        else:
            self._open[name] = session
        if len(self._ended) > REMEMBERED_ENDED:
            del self._ended[next(iter(self._ended))]

    def _add(self, note: SessionNote, grown: tuple[int, int, int], *, started: bool) -> None:
        where = (note.tenant, note.region, note.model)
        line = self._lines.get(where, UsageView(*where, 0, 0, 0, 0))
        self._lines[where] = msgspec.structs.replace(
            line,
            sessions=line.sessions + int(started),
            audio_ms=line.audio_ms + grown[0],
            characters=line.characters + grown[1],
            paused_ms=line.paused_ms + grown[2],
        )

    def lines(self, tenant: str | None = None) -> tuple[UsageView, ...]:
        """Sorted; of one tenant, or of all."""
        found = (line for line in self._lines.values() if tenant in (None, line.tenant))
        return tuple(sorted(found, key=lambda line: (line.tenant, line.region, line.model or "")))

    def totals(self, column: str) -> Mapping[str, float]:
        """One column by region, for metrics: no tenant stands in a label."""
        sums: dict[str, float] = {}
        for line in self._lines.values():
            sums[line.region] = sums.get(line.region, 0.0) + float(getattr(line, column))
        return sums


def _grown(session: _Session, note: SessionNote) -> tuple[int, int, int]:
    """What a note adds: audio_ms, characters, paused_ms."""
    audio_ms = max(0, note.audio_ms - session.audio_ms)
    session.audio_ms += audio_ms
    before = session.boots.get(note.boot, (0, 0))
    now = (max(note.characters, before[0]), max(note.paused_ms, before[1]))
    session.boots[note.boot] = now
    paused_ms = now[1] - before[1] + _between(session, note)
    return audio_ms, now[0] - before[0], paused_ms


def _between(session: _Session, note: SessionNote) -> int:
    """The pause between two nodes, beyond what the first has counted of it."""
    if note.event == "paused" and note.at_ms > session.resumed_ms:
        session.paused = (note.boot, note.at_ms, session.boots[note.boot][1])
    if note.event != "resumed" or note.at_ms <= session.resumed_ms:
        return 0
    session.resumed_ms, paused = note.at_ms, session.paused
    session.paused = None
    if paused is None or paused[0] == note.boot:
        return 0
    boot, at_ms, then_ms = paused
    counted_ms = session.boots[boot][1] - then_ms
    return max(0, note.at_ms - at_ms - counted_ms)
