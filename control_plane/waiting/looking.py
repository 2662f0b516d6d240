"""Takes down what an estimate for a line is made from. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from control_plane.waiting.estimate import Look
from control_plane.waiting.lengths import Lengths
from control_plane.waiting.lineup import Others
from control_plane.waiting.queue import FairQueue, Line
from control_plane.waiting.rates import WINDOW_S, Rates


@dataclass(frozen=True, slots=True)
class Held:
    """Who waits, and what was learnt."""

    queue: FairQueue
    lengths: Lengths
    rates: Rates
    until_s: Callable[[int], float]
    """How long a waiter waits at most, from now."""
    waited_s: Callable[[int], float]
    """How long he has waited."""


def look_at(held: Held, line: Line, now_s: float, noted_s: float) -> Look:
    """Everything, at one moment.

    Args:
        held: read only.
        line: whose.
        now_s: on the clock of those who wait.
        noted_s: the same moment on the clock of sessions' notes.
    """
    queue, lengths = held.queue, held.lengths
    order = queue.order(line)
    came, within_s = _came(held, line, now_s, noted_s)
    tenants = {one.tenant for one in order} | came.keys()
    running = lengths.running(line.regions)
    waited_s = {one.number: held.waited_s(one.number) for one in order}
    return Look(
        order=order,
        until_s={one.number: held.until_s(one.number) for one in order},
        waited_s=waited_s,
        behind={one: queue.shares.behind(one, line.regions) for one in tenants},
        weights={one: queue.shares.weight(one) for one in tenants},
        came=came,
        within_s=within_s,
        running=[(one, max(0.0, noted_s - one.began_s)) for one in running],
        known={key: lengths.known(*key) for key in {(one.kind, one.tenant) for one in running}},
        new=lengths.known(line.kind),
        others=Others(within_s, held.rates.leaving(list(waited_s.values()))),
    )


def _came(held: Held, line: Line, now_s: float, noted_s: float) -> tuple[dict[str, int], float]:
    """How many of each tenant came lately, and in how many seconds.

    To the line while somebody stood in it; before that whoever came had a seat at once.
    """
    came, busy_s = held.rates.arrivals(line, now_s)
    from_s, until_s = noted_s - WINDOW_S, noted_s - busy_s
    before, before_s = held.lengths.begun(line.regions, from_s, until_s)
    names = came.keys() | before.keys()
    return {one: came.get(one, 0) + before.get(one, 0) for one in names}, busy_s + before_s
