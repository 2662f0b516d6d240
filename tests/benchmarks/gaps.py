"""What a bare loop does between two batches: the ways in which its calls can lie in time.

They take the possible reasons apart why the same calls cost more in a live node than in a loop that
makes them one after another. Live batches leave time between them, in which the core sleeps
(`slept`: slower clocks, an interrupt to wake it), in which it may also be busy with other things
(`spun`: no sleep, only time), and in which the model leaves the caches (`cold`: no time at all,
but a walk over more memory than all caches hold). `paced` has all of them, as live audio has,
and so has `ears`, in which the recogniser alone is called.
"""

import time
from collections.abc import Callable

import numpy as np

GAP_S = 0.02
WALK_BYTES = 96 << 20
"""Twice and more what the second and third level of today's processors hold for a core."""

Gap = Callable[[float, bool], None]
"""Called before each call with its moment in the trace, and whether it begins a batch."""


def paced() -> Gap:
    """Each call no earlier, after the first, than it was made."""
    ahead_s: list[float] = []

    def gap(at_s: float, _begins: bool) -> None:
        if not ahead_s:
            ahead_s.append(time.monotonic() - at_s)
        if (wait_s := at_s + ahead_s[0] - time.monotonic()) > 0:
            time.sleep(wait_s)

    return gap


def full() -> Gap:
    """One call after another."""
    return lambda _at_s, _begins: None


def cold() -> Gap:
    """The caches full of something else before each batch, and no time lost."""

    def gap(_at_s: float, begins: bool) -> None:
        if begins:
            _memory.sum()

    return gap


def slept() -> Gap:
    """The core at rest before each batch."""

    def gap(_at_s: float, begins: bool) -> None:
        if begins:
            time.sleep(GAP_S)

    return gap


def spun() -> Gap:
    """The core busy, with next to no memory, before each batch."""

    def gap(_at_s: float, begins: bool) -> None:
        until_s = time.monotonic() + GAP_S * begins
        while time.monotonic() < until_s:
            pass

    return gap


WAYS: dict[str, Callable[[], Gap]] = {
    "paced": paced,
    "ears": paced,
    "full": full,
    "cold": cold,
    "slept": slept,
    "spun": spun,
}
COUNTED = frozenset({"paced", "ears"})
"""Ways whose gaps are part of the cost: a live loop cannot do without waiting either."""
_memory = np.zeros(WALK_BYTES // 8)
