"""What was used, by tenant, region and model: derived from notes, never the other way (pure)."""

from collections.abc import Mapping

import msgspec

from heliovox.protocol.control import UsageView
from shared.exchange import SessionNote

Counted = tuple[int, int, int]
"""Of one session, counted so far: audio_ms, characters, paused_ms."""
REMEMBERED_ENDED = 50_000
"""Ended sessions whose notes, should they come again, add nothing."""


class Usage:
    """Totals. Notes carry a session's sums so far: one that comes twice, or late, adds nothing."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str | None], UsageView] = {}
        self._open: dict[tuple[str, str], Counted] = {}
        self._ended: dict[tuple[str, str], Counted] = {}

    @property
    def open_sessions(self) -> int:
        """Sessions whose end has not been noted."""
        return len(self._open)

    def noted(self, note: SessionNote) -> None:
        """Adds what is new in a note."""
        session = (note.session, note.boot)
        before = self._ended.get(session) or self._open.get(session)
        said = (note.audio_ms, note.characters, note.paused_ms)
        now = said if before is None else _at_least(said, before)
        self._add(note, started=before is None, grown=_less(now, before or (0, 0, 0)))
        if session in self._ended or note.event == "ended":
            self._open.pop(session, None)
            self._ended.pop(session, None)
            self._ended[session] = now
        else:
            self._open[session] = now
        if len(self._ended) > REMEMBERED_ENDED:
            del self._ended[next(iter(self._ended))]

    def _add(self, note: SessionNote, *, started: bool, grown: Counted) -> None:
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

    def totals(self, field: str) -> Mapping[str, float]:
        """One column by region, for metrics: no tenant stands in a label."""
        sums: dict[str, float] = {}
        for line in self._lines.values():
            sums[line.region] = sums.get(line.region, 0.0) + float(getattr(line, field))
        return sums


def _at_least(said: Counted, before: Counted) -> Counted:
    return (max(said[0], before[0]), max(said[1], before[1]), max(said[2], before[2]))


def _less(now: Counted, before: Counted) -> Counted:
    return (now[0] - before[0], now[1] - before[1], now[2] - before[2])
