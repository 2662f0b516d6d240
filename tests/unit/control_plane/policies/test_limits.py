"""Limits, and who is hit most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.policies.limits import Limits, exceeded
from control_plane.policies.tally import HOUR_MS, Counts, Row

ROWS = (
    Row("bank", 0, Counts(sessions=100, moved=2, refused=1, added_rtt_ms={5: 1, 90: 1})),
    Row("shop", 0, Counts(sessions=100, moved=8, cost_before_usd=10.0, cost_after_usd=10.0)),
    Row("bank", HOUR_MS, Counts(sessions=200, refused=7, cost_before_usd=10, cost_after_usd=13)),
)


def test_what_is_kept_is_no_word_worth() -> None:
    assert exceeded(Limits(), ROWS) == ()
    kept = Limits(max_refused_share=0.02, max_moved_share=0.025, max_added_cost_share=0.15)
    assert exceeded(kept, ROWS) == ()


def test_what_is_not_kept_names_who_and_when() -> None:
    [refused] = exceeded(Limits(max_refused_share=0.019), ROWS)
    assert (refused.limit, refused.most, refused.value) == ("max_refused_share", 0.019, 0.02)
    assert (refused.tenant, refused.of_tenant, refused.of_all) == ("bank", 8.0, 8.0)
    assert refused.hour_ms == HOUR_MS
    [moved] = exceeded(Limits(max_moved_share=0.01), ROWS)
    assert (moved.tenant, moved.of_tenant, moved.of_all, moved.hour_ms) == ("shop", 8.0, 10.0, 0)
    [slower] = exceeded(Limits(max_added_rtt_p95_ms=80), ROWS)
    assert (slower.value, slower.tenant, slower.of_tenant) == (90.0, "bank", 1.0)
    [dearer] = exceeded(Limits(max_added_cost_share=0.1), ROWS)
    assert dearer.value == pytest.approx(0.15)
    assert (dearer.tenant, dearer.of_tenant) == ("bank", 3.0)


@given(st.dictionaries(st.integers(-300, 300), st.integers(1, 50), max_size=20))
def test_a_percentile_is_what_so_many_do_not_exceed(added: dict[int, int]) -> None:
    counts = Counts(added_rtt_ms=added)
    values = sorted(ms for ms, count in added.items() for _ in range(count))
    for share in (0.5, 0.95, 1.0):
        found = counts.rtt_ms(share)
        if not values:
            assert found == 0.0
            continue
        assert sum(ms <= found for ms in values) >= share * len(values)
        assert sum(ms < found for ms in values) < share * len(values)


@given(st.lists(st.integers(0, 9), min_size=3, max_size=3), st.lists(st.integers(0, 9), min_size=3))
def test_counts_add_up(some: list[int], others: list[int]) -> None:
    one = Counts(sessions=some[0], moved=some[1], cost_after_usd=some[2], added_rtt_ms={1: some[0]})
    two = Counts(sessions=others[0], moved=others[1], added_rtt_ms={1: others[1], 2: others[2]})
    one.add(two)
    assert (one.sessions, one.moved) == (some[0] + others[0], some[1] + others[1])
    assert one.added_rtt_ms == {1: some[0] + others[1], 2: others[2]}
    assert one.cost_after_usd == some[2]
