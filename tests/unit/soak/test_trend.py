"""What a soak calls growth."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.trend import _student, trend


@given(st.floats(-5, 5), st.floats(-100, 100))
def test_a_straight_line_is_found_exactly(slope: float, start: float) -> None:
    found = trend([(float(at), start + slope * at) for at in range(48)])
    assert found.slope == pytest.approx(slope, abs=1e-6)
    assert found.low <= found.slope <= found.high


@pytest.mark.parametrize("slope", [0.0, 0.02, 1.0])
def test_intervals_cover_the_truth_as_often_as_they_say(slope: float) -> None:
    rng, covered = random.Random(5), 0
    for _ in range(400):
        readings = [(float(at), slope * at + rng.gauss(0, 3)) for at in range(240)]
        found = trend(readings)
        covered += found.low <= slope <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_a_leak_shows_and_noise_does_not() -> None:
    rng = random.Random(7)
    noise = [(float(at), rng.gauss(0, 1)) for at in range(240)]
    assert not trend(noise).grows
    assert trend([(at, value + 0.05 * at) for at, value in noise]).grows


@pytest.mark.parametrize(("degrees", "table"), [(3, 3.182), (5, 2.571), (10, 2.228), (22, 2.074)])
def test_students_t(degrees: int, table: float) -> None:
    assert _student(degrees) == pytest.approx(table, rel=0.01)


def test_too_few_readings() -> None:
    with pytest.raises(ValueError, match="too few"):
        trend([(0.0, 1.0), (1.0, 1.0)])
