import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.waiting.hazards import (
    ASSUMED,
    BINS,
    EDGES_S,
    Lives,
    Seen,
    belief,
    bin_of,
    spent_s,
)

AGES = st.floats(0, 200_000)


@given(age_s=AGES)
def test_every_age_is_in_the_bin_that_begins_before_it(age_s: float) -> None:
    at = bin_of(age_s)
    assert EDGES_S[at] <= age_s
    assert at == BINS - 1 or age_s < EDGES_S[at + 1]


@given(ages=st.tuples(AGES, AGES))
def test_time_between_two_ages_is_spent_in_bins_once(ages: tuple[float, float]) -> None:
    low, high = sorted(ages)
    spent = spent_s(np.array([low]), np.array([high]))[0]
    assert spent.sum() == pytest.approx(high - low, abs=1e-6)
    assert (spent >= 0).all()


@given(rate=st.floats(1e-4, 1.0), age_s=AGES, chance=st.floats(0.001, 10))
def test_where_age_does_not_matter_what_is_left_does_not_depend_on_it(
    rate: float, age_s: float, chance: float
) -> None:
    left = Lives(np.full((1, BINS), rate)).left_s(0, np.array([age_s]), np.array([chance]))
    assert left[0] == pytest.approx(chance / rate, rel=1e-3, abs=1e-3)


@given(ages=st.tuples(AGES, AGES), chance=st.floats(0.01, 5))
def test_under_what_is_assumed_the_older_last_longer(
    ages: tuple[float, float], chance: float
) -> None:
    both = np.array(sorted(ages))
    young, old = Lives(ASSUMED[None, :]).left_s(0, both, np.full(2, chance))
    assert young <= old + 1e-6


def test_what_was_seen_outweighs_what_was_assumed() -> None:
    seen = Seen(np.full(BINS, 400.0), np.full(BINS, 400.0 / 0.05))
    learnt = belief(seen)
    assert learnt.mean[:12] == pytest.approx(np.full(12, 0.05), rel=0.02)
    assert learnt.doubt < 0.02
    nothing = belief(Seen.nothing())
    assert nothing.mean == pytest.approx(ASSUMED)
    draws = nothing.drawn(np.random.default_rng(1), 200)
    assert draws.shape == (200, BINS)
    half = np.quantile(Lives(draws)._until[:, 12], (0.1, 0.9))
    assert half[1] > 5 * half[0]  # it may be anything
