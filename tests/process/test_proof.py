"""The short form of `make prove`: decisions are checked, and every planted fault is caught."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from prover import planting
from prover.crew import prove
from prover.faults import FAULTS
from prover.hunt import hunt
from prover.tally import Tally

SEED = "3"
REASONS = {
    "not_allowed", "no_kind", "no_language", "no_model", "dead", "conflict", "stale", "unwell",
    "unreachable", "draining", "not_hot", "full", "excluded", "not_overflow", "too_far",
    "too_costly", "overflow_not_needed", "home_spared", "ramping", "ranked_lower", "winner",
}  # fmt: skip


@pytest.fixture(scope="module")
def checked() -> Tally:
    tally, whole = prove(SEED, 4000, 2, lambda _: None)
    assert whole
    return tally


@pytest.mark.timeout(300)
def test_no_decision_is_unlawful_or_wrong(checked: Tally) -> None:
    assert (checked.decisions, checked.found) == (4000, [])


def test_every_reason_was_met(checked: Tally) -> None:
    assert REASONS - checked.reasons.keys() == set()


def test_equal_seeds_give_equal_tallies_whoever_works() -> None:
    one, two = (prove(SEED, 1500, workers, lambda _: None)[0] for workers in (1, 2))
    assert (one.counts, one.reasons) == (two.counts, two.reasons)


@pytest.mark.timeout(600)
def test_every_planted_fault_is_caught() -> None:
    hunted = list(hunt(FAULTS, SEED, 20_000, 2))
    assert len(hunted) == len({fault.name for fault in FAULTS}) >= 12
    assert [one for one in hunted if not one.caught] == []


def test_a_fault_that_does_not_apply_is_told_by_name() -> None:
    gone = replace(FAULTS[0], name="of yesterday", old="no such text")
    with pytest.raises(planting.DoesNotApply, match="of yesterday"):
        list(hunt([gone], SEED, 100, 1))


def test_a_fault_whose_text_stands_twice_is_told_too() -> None:
    with pytest.raises(planting.DoesNotApply, match="stands 2 times"):
        planting.planted(replace(FAULTS[0], old="xx"), "xx xx")


def test_the_last_line_is_for_machines() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prover", "--decisions", "600", "--no-faults"],
        capture_output=True, text=True, check=True, cwd=planting.ROOT,
    )  # fmt: skip
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["decisions"], last["violations"], last["whole"]) == (600, 0, True)
