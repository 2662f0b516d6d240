"""`make prove`: checks decisions, hunts planted faults, and says what came of it.

The last line of the output is JSON. Exit code 0: all was right and every fault was caught;
1: something was wrong; 2: the journal cannot be gone on from; 130: Ctrl-C.
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from prover import crew, hunt
from prover.faults import FAULTS
from prover.journal import Journal, JournalRefused, fingerprint, plain
from prover.planting import DoesNotApply
from prover.screen import Progress
from prover.tally import Found, Tally

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """The exit code."""
    options = _options()
    began_s = time.perf_counter()
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT is ignored where a shell runs it behind
        signal.signal(number, signal.default_int_handler)
    if options.world is not None:
        tally, whole = crew.played(options.seed, options.world, options.decisions), True
    else:
        try:
            journal = Journal(options.journal, options.seed, fingerprint(ROOT))
        except JournalRefused as error:
            sys.stderr.write(f"{error}\n")
            return 2
        progress = Progress(options.decisions, journal.tally.decisions)
        tally, whole = crew.prove(
            options.seed, options.decisions, options.workers, progress.told, journal
        )
        progress.end()
    for found in tally.found[:3]:
        _accuse(found)
    hunted: list[hunt.Hunted] = []
    if whole and options.faults and options.world is None:
        try:
            hunted = _hunt(options)
        except DoesNotApply as error:
            sys.stderr.write(f"{error}\n")
            return 1
        except KeyboardInterrupt:
            whole = False
    result = _result(tally, hunted, time.perf_counter() - began_s, options, whole=whole)
    sys.stdout.write(json.dumps(result) + "\n")
    if not whole:
        return 130
    return 1 if tally.violations or result["planted_faults_missed"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prover", description=__doc__)
    parser.add_argument("--decisions", type=int, default=60_000, help="to check (%(default)s)")
    parser.add_argument("--seed", default="1", help="of all that is drawn (%(default)s)")
    parser.add_argument(
        "--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes (%(default)s)"
    )
    parser.add_argument("--no-faults", dest="faults", action="store_false", help="plant none")
    parser.add_argument(
        "--fault-decisions",
        type=int,
        default=hunt.MOST,
        help="within which each planted fault must be caught (%(default)s)",
    )
    parser.add_argument(
        "--journal",
        type=Path,
        help="a file that is kept while it works; the same command goes on from it",
    )
    parser.add_argument("--world", type=int, help="play this one alone, as a violation names it")
    return parser.parse_args()


def _hunt(options: argparse.Namespace) -> list[hunt.Hunted]:
    hunted = []
    for one in hunt.hunt(FAULTS, options.seed, options.fault_decisions, options.workers):
        hunted.append(one)
        how = f"caught after {one.decisions:,}: {one.kind}" if one.caught else "NOT CAUGHT"
        sys.stderr.write(f"planted {one.name}: {how[:120]}\n")
    return hunted


def _accuse(found: Found) -> None:
    """What is needed to see it again, and to understand it."""
    sys.stdout.write(
        f"\n{found.kind}: {found.detail}\n"
        f"  again: python -m prover --seed {found.seed} --world {found.world}"
        f" (decision {found.step} of it)\n"
        f"  {json.dumps(found.context, default=plain)[:6000]}\n"
    )


def _result(
    tally: Tally,
    hunted: list[hunt.Hunted],
    seconds: float,
    options: argparse.Namespace,
    *,
    whole: bool,
) -> dict[str, Any]:
    counts = dict(sorted(tally.counts.items()))
    return {
        "decisions": tally.decisions,
        "violations": tally.violations,
        "planted_faults_caught": sorted(one.name for one in hunted if one.caught),
        "planted_faults_missed": sorted(one.name for one in hunted if not one.caught),
        "most_decisions_to_a_fault": max((one.decisions for one in hunted), default=0),
        "seconds": round(seconds, 1),
        "cpu_s": round(tally.cpu_s, 1),
        "checked_per_s_per_core": round(tally.decisions / max(1e-9, tally.checker_s)),
        "decisions_per_s_per_core": round(tally.decisions / max(1e-9, tally.cpu_s)),
        "seed": options.seed,
        "whole": whole,
        "placed": counts.pop("placed", 0),
        "refused": counts.pop("refused", 0),
        "overflow": counts.pop("overflow", 0),
        "reasons": dict(sorted(tally.reasons.items())),
        "met": {name: count for name, count in counts.items() if name != "decisions"},
        "violations_by_kind": _kinds(tally),
    }


def _kinds(tally: Tally) -> dict[str, int]:
    kinds = [found.kind for found in tally.found]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


if __name__ == "__main__":
    sys.exit(main())
