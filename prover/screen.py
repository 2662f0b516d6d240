"""What a person sees while it works: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import TextIO

from prover.tally import Tally

WIDTH = 30
_EVERY_S = 0.2
_QUIETLY_EVERY_S = 15.0


class Progress:
    """How far it is.

    Args:
        decisions: to check in all.
        before: of these, how many were checked earlier.
        out: where it is shown.
    """

    def __init__(self, decisions: int, before: int = 0, out: TextIO = sys.stderr) -> None:
        self._all, self._before, self._out = decisions, before, out
        self._began_s = self._shown_s = time.perf_counter()
        self._every_s = _EVERY_S if out.isatty() else _QUIETLY_EVERY_S

    def told(self, tally: Tally) -> None:
        """Shows it, unless it was shown a moment ago."""
        now_s = time.perf_counter()
        if now_s - self._shown_s < self._every_s and tally.decisions < self._all:
            return
        self._shown_s = now_s
        done = min(1.0, tally.decisions / max(1, self._all))
        full = round(WIDTH * done)
        pace = (tally.decisions - self._before) / max(1e-9, now_s - self._began_s)
        bar = f"[{'#' * full}{'.' * (WIDTH - full)}] {done:4.0%}"
        text = f"{bar} {tally.decisions:,} decisions, {tally.violations} violations, {pace:,.0f}/s"
        self._out.write(f"\r\x1b[K{text}" if self._out.isatty() else f"{text}\n")
        self._out.flush()

    def end(self) -> None:
        """Leaves the line."""
        if self._out.isatty():
            self._out.write("\n")
