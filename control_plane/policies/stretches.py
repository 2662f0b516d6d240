"""A long log in stretches that can be simulated side by side. Pure.

What a stretch begins with is not known: who was placed elsewhere before. So each is simulated from
half an hour before its beginning, and for a while behind its end, and counts only what is its own.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from control_plane.policies.simulate import Options
from control_plane.records.log import Mark

STRETCH_MS = 6 * 3_600_000
"""The same however many processes there are, so that what is found is the same."""
WARM_MS = 30 * 60_000
"""Of the seats that are other than recorded, those of sessions that are longer are missed."""
AFTER_MS = 15 * 60_000
"""For those who still wait, and sessions that have not ended."""


class Stretch(NamedTuple):
    """One of them."""

    begin: Mark | None
    """The block to begin with; None for the log's beginning."""
    until_ms: int | None
    """What comes later is not read."""
    options: Options


def stretches(marks: Sequence[Mark], options: Options) -> list[Stretch]:
    """A log's stretches.

    Args:
        marks: of its batches, in order.
        options: what is to be counted.
    """
    times = [mark.at_ms for mark in marks]
    decided = next((at_ms for at_ms in times if at_ms), 0)  # batches before it have no time
    first = max(decided, options.from_ms or 0)
    last = min(times[-1], options.until_ms or times[-1]) if times else 0
    cuts = list(range(first + STRETCH_MS, last - STRETCH_MS // 2, STRETCH_MS))
    found = []
    for begin_ms, end_ms in zip([options.from_ms, *cuts], [*cuts, options.until_ms], strict=True):
        own = Options(begin_ms, end_ms, options.mean_s)
        begin = None
        if begin_ms is not None and (at := bisect_left(times, begin_ms - WARM_MS)):
            begin = marks[at - 1]
        found.append(Stretch(begin, None if end_ms is None else end_ms + AFTER_MS, own))
    return found
