"""Time, handed in: everything that waits or measures takes a Clock."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, and a way to wait for them."""

    def now_s(self) -> float:
        """Seconds since some fixed point; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns once `seconds` have passed."""
        ...


def wall_s() -> float:
    """Seconds since 1970 on this machine: for others to compare, never to measure by."""
    return time.time()  # noqa: TID251 the one place that may


def wall_ms() -> int:
    """The same in milliseconds, as moments are compared and taken down."""
    return round(wall_s() * 1000)


def now_iso() -> str:
    """The same as UTC in ISO 8601, to the second."""
    return datetime.fromtimestamp(wall_s(), UTC).isoformat(timespec="seconds")


class SystemClock:
    """The machine's own monotonic clock."""

    def now_s(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()  # noqa: TID251 the one place that may

    async def sleep(self, seconds: float) -> None:
        """Waits on the event loop."""
        await asyncio.sleep(seconds)
