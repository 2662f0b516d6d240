"""How long the device's steps take: counts and a bounded window, read on scrape."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepTimes:
    """The window's step times."""

    steps: int
    chunks: int
    busy_s: float
    p50_ms: float
    p95_ms: float


class StepMeter:
    """Written by the device's thread, read by anyone."""

    def __init__(self, window: int = 1024) -> None:
        self._window: deque[float] = deque(maxlen=window)
        self.steps = 0
        self.chunks = 0
        self.busy_s = 0.0

    def stepped(self, chunks: int, took_s: float) -> None:
        """A batch of `chunks` took so long, everything on the device's thread included."""
        self.steps += 1
        self.chunks += chunks
        self.busy_s += took_s
        self._window.append(took_s)

    def read(self) -> StepTimes:
        """The figures now."""
        took_ms = sorted(1000 * took_s for took_s in list(self._window)) or [0.0]
        return StepTimes(
            self.steps,
            self.chunks,
            self.busy_s,
            took_ms[len(took_ms) // 2],
            took_ms[len(took_ms) * 95 // 100],
        )
