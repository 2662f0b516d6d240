"""From what a step costs to how many sessions fit. Pure.

A recogniser takes one chunk of each stream in one batch. While chunks of `chunk_s` are live audio,
`n` streams ask for `n` chunks in every `chunk_s`; they fit where batches of some size keep up with
that, in a stated part of the time and no step longer than is promised.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

UTILISATION = 0.7
"""Of the device's time that steps may take. The rest is for bursts: queues before a device grow as
1 / (1 - utilisation), and beyond three quarters a late chunk waits for several steps."""
MOST = 100_000
"""More than any device carries: a bound where steps cost almost nothing."""
_ROUNDING = 1e-6  # n shares of 1/n make a whole machine, whatever floats make of them


@dataclass(frozen=True, slots=True)
class StepCost:
    """Measured times of one batch size."""

    batch: int
    work_s: float
    """What a step needs when nobody disturbs it: the lower quartile."""
    p95_s: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What was measured on a machine, before it is shared."""

    steps: tuple[StepCost, ...]
    """By rising batch size."""
    chunk_s: float
    """Live audio that a step takes of each stream."""
    voice_s: float | None
    """Work for one second of synthesised speech; None for a node that does not speak."""


def recognition_fits(machine: Machine, step_p95_ms: float, utilisation: float) -> int:
    """Streams that the recogniser keeps up with.

    Args:
        machine: what steps cost.
        step_p95_ms: no batch whose 95th percentile is longer counts.
        utilisation: the part of the device's time that is given to steps, 0 to 1.
    """
    budget_s, fits = utilisation * machine.chunk_s, 0
    for cost in every_size(machine.steps):
        if cost.p95_s * 1000 > step_p95_ms * (1 + _ROUNDING) or cost.work_s <= 0:
            continue
        batches = int(budget_s / cost.work_s + _ROUNDING)
        fits = max(fits, min(batches * cost.batch, MOST))
    return fits


def every_size(steps: Sequence[StepCost]) -> Iterator[StepCost]:
    """The measured sizes and, on straight lines, those between them; none cheaper than a smaller.

    A larger batch that seems cheaper was measured in a better moment.
    """
    below = StepCost(0, 0.0, 0.0)
    for cost in steps:
        work_s, p95_s = max(below.work_s, cost.work_s), max(below.p95_s, cost.p95_s)
        for size in range(below.batch + 1, cost.batch):
            if not below.batch:  # nothing was measured below: it costs what the first size costs
                continue
            part = (size - below.batch) / (cost.batch - below.batch)
            yield StepCost(
                size,
                below.work_s + part * (work_s - below.work_s),
                below.p95_s + part * (p95_s - below.p95_s),
            )
        below = StepCost(cost.batch, work_s, p95_s)
        yield below


def synthesis_fits(machine: Machine, utilisation: float) -> int:
    """Texts that are said at one time, all of them without a pause."""
    if machine.voice_s is None:
        return 0
    if machine.voice_s <= 0:
        return MOST
    return min(int(utilisation / machine.voice_s + _ROUNDING), MOST)


def capacities(
    machine: Machine, *, step_p95_ms: float, share: float, utilisation: float = UTILISATION
) -> Mapping[str, int]:
    """Sessions of each kind, were the node's share of the machine given to that kind alone.

    A conversation hears and speaks, so it takes a recognition's share and a synthesis' one.
    """
    hears = recognition_fits(machine, step_p95_ms, utilisation * share)
    speaks = synthesis_fits(machine, utilisation * share)
    both = hears * speaks // (hears + speaks) if hears and speaks else 0
    return {"recognition": hears, "synthesis": speaks, "conversation": both}


class Room:
    """Sessions of several kinds on one machine: each takes its share of it.

    Args:
        limit: sessions of any kind, whatever the machine could carry.
        capacity: sessions of each kind alone; None where nothing was measured.
    """

    def __init__(self, limit: int, capacity: Mapping[str, int] | None = None) -> None:
        self._capacity = capacity
        most = limit if capacity is None else max(capacity.values(), default=0)
        self.limit = min(limit, most)
        self.limited_by_setting = limit <= most

    def fits(self, taken: Mapping[str, int], kind: str) -> int:
        """Further sessions of a kind beside those that are there, were all room given to it."""
        free = max(0, self.limit - sum(taken.values()))
        if self._capacity is None:
            return free
        used = sum(count / max(1, self._capacity.get(one, 0)) for one, count in taken.items())
        return max(0, min(free, int((1 - used) * self._capacity.get(kind, 0) + _ROUNDING)))
