"""Whether the checker catches a planted fault: each is played in a process of its own.

    python -m prover.hunt NAME SEED MOST

ends its output with one line of JSON: whether it was caught, after how many decisions, by what.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from prover import planting
from prover.faults import FAULTS

MOST = 20_000
"""Decisions within which every fault must be caught."""
_PORTION = 250
_LIMIT_S = 300.0


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
    """Hunts all of them, so many at a time. Raises DoesNotApply, before anything is hunted."""
    planting.check(faults)
    with ThreadPoolExecutor(workers) as pool:
        hunts = [pool.submit(_process, fault.name, seed, most) for fault in faults]
        for done in as_completed(hunts):
            yield done.result()


def _process(name: str, seed: str, most: int) -> Hunted:
    done = subprocess.run(  # noqa: S603 this very interpreter, and names of ours
        [sys.executable, "-m", "prover.hunt", name, seed, str(most)],
        cwd=planting.ROOT,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"hunting {name}: {done.stderr.strip()[-2000:]}")
    return Hunted(**json.loads(done.stdout.splitlines()[-1]))


def _hunt_here(name: str, seed: str, most: int) -> Hunted:
    """Plants the fault, then imports the router and plays until something is wrong."""
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


def main() -> None:
    """One fault, named on the command line."""
    name, seed, most = sys.argv[1:]
    sys.stdout.write(json.dumps(_hunt_here(name, seed, int(most)).__dict__) + "\n")


if __name__ == "__main__":
    main()
