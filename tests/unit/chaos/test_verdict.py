"""The judge of chaos: what it calls lost, doubled and late."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.faults import KINDS, Kind, Speaking, schedule, target
from tests.chaos.verdict import (
    Record,
    Told,
    difference,
    gap_ms,
    lateness,
    percentile,
    usual_lateness_s,
    within_word,
)

WORDS: list[Told] = [(f"w{n}", 1000 * n, 1000 * n + 400) for n in range(30)]


@given(st.sets(st.integers(0, 29)))
def test_every_word_that_is_missing_is_lost(missing: set[int]) -> None:
    told = [word for n, word in enumerate(WORDS) if n not in missing]
    found = difference(WORDS, told)
    assert sorted(found.lost) == sorted(WORDS[n] for n in missing)
    assert not found.doubled


@given(st.sets(st.integers(0, 29), min_size=1))
def test_every_word_that_comes_twice_is_doubled(twice: set[int]) -> None:
    told = [word for n, word in enumerate(WORDS) for _ in range(1 + (n in twice))]
    found = difference(WORDS, told)
    assert len(found.doubled) == len(twice)
    assert not found.lost


def test_a_word_a_millisecond_off_is_both() -> None:
    told = [*WORDS[:5], ("w5", 5001, 5400), *WORDS[6:]]
    found = difference(WORDS, told)
    assert (found.lost, found.doubled) == ((WORDS[5],), (told[5],))


def test_the_middle_of_a_word() -> None:
    assert [within_word(WORDS, at) for at in (0, 1, 399, 400, 999, 1200)] == [
        *(False, True, True),
        *(False, False, True),
    ]


def shown_after(by_s: list[float]) -> Record:
    """Words that are told so long after they were said, one after the other."""
    record = Record(begun_s=100.0)
    came_s = 0.0
    for (_, start_ms, end_ms), late_s in zip(WORDS, by_s, strict=True):
        came_s = max(came_s, record.said_s(end_ms) + late_s)
        record.shown.append((came_s, start_ms))
    return record


def test_a_gap_is_what_comes_on_top_of_the_usual() -> None:
    record = shown_after([0.5] * 14 + [2.5, 1.5] + [0.5] * 14)
    late = lateness(record, WORDS)
    assert len(late) == len(WORDS)
    fault_s = record.said_s(14_200)
    usual_s = usual_lateness_s(late, fault_s)
    assert round(usual_s, 6) == 0.5
    assert round(gap_ms(late, fault_s, math.inf, usual_s)) == 2000
    assert gap_ms(late, record.said_s(1000), math.inf, usual_s) == 0
    assert gap_ms(late, record.said_s(9000), fault_s, usual_s) == 0, "the next one's is its own"


def test_a_word_that_is_shown_with_a_later_one_counts_from_then() -> None:
    record = Record(begun_s=0.0, shown=[(3.0, 2000)])
    assert lateness(record, WORDS[:3]) == [(0.4, 2.6), (1.4, 1.6), (2.4, 0.6000000000000001)]


def test_every_kind_of_fault_comes_before_any_comes_again() -> None:
    drawn = schedule(random.Random(3))
    assert {next(drawn) for _ in KINDS} == set(KINDS)


@given(st.sampled_from(KINDS), st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_a_fault_hits_enough_of_one_node_or_nobody(
    kind: Kind, where: list[tuple[str, bool]]
) -> None:
    speaking = [Speaking(str(n), node, within) for n, (node, within) in enumerate(where)]
    hit = target(kind, speaking, 3)
    by_name = {one.name: one for one in speaking}
    if hit is None:
        most = max((sum(w and n == node for n, w in where) for node in "abc"), default=0)
        assert most < 3
    else:
        assert len(hit) >= 3
        assert all(by_name[name].in_word for name in hit)
        if kind not in ("kill_bus", "kill_control"):
            assert len({by_name[name].node for name in hit}) == 1


def test_percentiles() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
