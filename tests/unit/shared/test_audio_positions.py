import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.audio import PCM_RATES_HZ
from shared.audio import GRID_MS, MODEL_RATE_HZ, at_rate, grid_samples, is_on_grid

rates = st.sampled_from(PCM_RATES_HZ)


@given(ticks=st.integers(0, 10**7), a=rates, b=rates)
def test_the_grid_is_whole_at_every_rate(ticks: int, a: int, b: int) -> None:
    position = ticks * grid_samples(a)
    assert at_rate(position, a, b) == ticks * grid_samples(b)
    assert is_on_grid(at_rate(position, a, b), b)
    assert at_rate(at_rate(position, a, b), b, a) == position


@given(position=st.integers(0, 10**12), rate=rates)
def test_between_grid_points_a_position_is_rounded_down(position: int, rate: int) -> None:
    there = at_rate(position, rate, MODEL_RATE_HZ)
    assert there * rate <= position * MODEL_RATE_HZ < (there + 1) * rate


@pytest.mark.parametrize("rate", PCM_RATES_HZ)
def test_a_grid_step_is_10_ms(rate: int) -> None:
    assert grid_samples(rate) * 1000 == rate * GRID_MS
    assert not is_on_grid(1, rate)
