"""Whether the checker catches a planted fault: each is played in a process of its own."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from prover import planting
from prover.faults import FAULTS

MOST = 20_000
"""Decisions within which every fault must be caught."""
_PORTION = 250
_AT_HAND = ["numpy", "msgspec", "yaml", "prover.checker", "prover.worlds", "prover.hunt"]
"""Imported once, before processes part. Nothing of the router: each imports it with its fault."""


@dataclass(frozen=True)
class Hunted:
    """What came of one fault."""

    name: str
    caught: bool
    decisions: int
    """Checked until then."""
    kind: str
    """Of the first violation, or what the router raised."""


def hunt(faults: Sequence[planting.Fault], seed: str, most: int, workers: int) -> Iterator[Hunted]:
    """Hunts all of them, so many at a time; each of the results as it comes.

    Raises DoesNotApply, before anything is hunted.
    """
    planting.check(faults)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_AT_HAND)
    pool = ProcessPoolExecutor(workers, context, max_tasks_per_child=1)
    try:
        hunts = [pool.submit(hunt_here, fault.name, seed, most) for fault in faults]
        for done in as_completed(hunts):
            yield done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def hunt_here(name: str, seed: str, most: int) -> Hunted:
    """Plants the fault in this very process, which must not have imported the router yet."""
    planting.plant(next(fault for fault in FAULTS if fault.name == name))
    from prover.play import play  # noqa: PLC0415 not before the fault is planted

    checked = 0
    for number in range(most // _PORTION):
        try:
            tally = play(seed, number, _PORTION)
        except Exception as error:  # noqa: BLE001 a router that falls over is caught too
            return Hunted(name, True, checked, f"raised {type(error).__name__}: {error}")
        if tally.found:
            return Hunted(name, True, checked + tally.found[0].step, tally.found[0].kind)
        checked += tally.decisions
    return Hunted(name, False, checked, "")
