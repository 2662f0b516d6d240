from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.audio import PCM_RATES_HZ
from shared.audio import Resampler, Samples

PAIRS = [(a, b) for a, b in product(PCM_RATES_HZ, PCM_RATES_HZ) if a != b]
pairs = st.sampled_from(PAIRS)


def tone(hz: float, rate_hz: int, seconds: float = 0.25) -> Samples:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz).astype(np.float32)


def noise(samples: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).uniform(-1, 1, samples).astype(np.float32)


def resampled(sound: Samples, from_hz: int, to_hz: int, cuts: list[int] | None = None) -> Samples:
    resampler = Resampler(from_hz, to_hz)
    bounds = [0, *sorted(min(cut, len(sound)) for cut in cuts or []), len(sound)]
    out = [resampler.push(sound[a:b]) for a, b in pairwise(bounds)]
    return np.concatenate([*out, resampler.finish()])


def level_db(sound: Samples) -> float:
    """Level of the middle, where neither end is felt, against a full-scale tone."""
    middle = sound[len(sound) // 4 : len(sound) * 3 // 4].astype(np.float64)
    return float(20 * np.log10(np.sqrt(2 * np.mean(middle**2)) + 1e-12))


@given(
    pair=pairs,
    length=st.integers(0, 700),
    cuts=st.lists(st.integers(0, 700), max_size=12),
)
def test_the_network_may_cut_audio_anywhere(
    pair: tuple[int, int], length: int, cuts: list[int]
) -> None:
    """Bit for bit: what is recognised later is a function of the samples alone."""
    sound = noise(length)
    assert resampled(sound, *pair, cuts).tobytes() == resampled(sound, *pair).tobytes()


@given(pair=pairs, length=st.integers(0, 3000))
def test_output_lasts_as_long_as_input(pair: tuple[int, int], length: int) -> None:
    from_hz, to_hz = pair
    out = resampled(np.zeros(length, np.float32), from_hz, to_hz)
    assert len(out) == -(-length * to_hz // from_hz)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.45])
def test_tones_within_the_band_keep_level_and_time(pair: tuple[int, int], share: float) -> None:
    from_hz, to_hz = pair
    hz = share * min(pair)
    out = resampled(tone(hz, from_hz) if hz else np.ones(from_hz, np.float32), from_hz, to_hz)
    want = tone(hz, to_hz) if hz else np.ones(to_hz, np.float32)
    size = min(len(out), len(want))
    assert abs(level_db(out) - level_db(want)) < 0.5
    ours, ideal = (s[size // 4 : size * 3 // 4] for s in (out[:size], want[:size]))
    gain = float(ours @ ideal / (ideal @ ideal))
    assert level_db(np.asarray(ours - gain * ideal, np.float32)) < -60, "a delay or an image"


ABOVE = [(a, b, s * b) for a, b in PAIRS for s in (0.55, 0.65, 0.9, 1.3) if s * b < a / 2]


@pytest.mark.parametrize(("from_hz", "to_hz", "hz"), ABOVE)
def test_tones_beyond_the_band_do_not_fold_back(from_hz: int, to_hz: int, hz: float) -> None:
    assert level_db(resampled(tone(hz, from_hz), from_hz, to_hz)) < -60


def test_a_constant_stays_constant() -> None:
    out = resampled(np.full(4410, 0.5, np.float32), 44100, 16000)
    assert np.abs(out[64:-64] - 0.5).max() < 1e-6


@pytest.mark.parametrize("pair", PAIRS)
def test_output_waits_for_the_stated_delay_and_no_longer(pair: tuple[int, int]) -> None:
    from_hz, to_hz = pair
    resampler = Resampler(from_hz, to_hz)
    assert resampler.delay_samples <= 0.002 * from_hz * max(1, 8000 / min(pair)) + 1
    assert len(resampler.push(np.zeros(resampler.delay_samples, np.float32))) == 0
    assert len(resampler.push(np.zeros(1, np.float32))) >= 1


@given(pair=pairs, grid=st.integers(1, 4))
def test_begun_10_ms_earlier_the_bits_are_the_same(pair: tuple[int, int], grid: int) -> None:
    """So a stream may be taken up again on the 10 ms grid without the resampler's state."""
    from_hz, to_hz = pair
    sound = noise(from_hz // 20)
    late = resampled(sound[(grid - 1) * from_hz // 100 :], from_hz, to_hz)[to_hz // 100 :]
    assert late.tobytes() == resampled(sound, from_hz, to_hz)[grid * to_hz // 100 :].tobytes()


@given(pair=pairs, length=st.integers(0, 500))
def test_after_the_end_it_begins_anew(pair: tuple[int, int], length: int) -> None:
    resampler, sound = Resampler(*pair), noise(length)
    first = np.concatenate([resampler.push(sound), resampler.finish()])
    second = np.concatenate([resampler.push(sound), resampler.finish()])
    assert first.tobytes() == second.tobytes()


def test_an_hour_in_pieces_holds_only_the_filter() -> None:
    resampler = Resampler(8000, 16000)
    for _ in range(1000):
        resampler.push(np.zeros(800, np.float32))
    assert len(resampler._held) <= 2 * resampler.delay_samples


@pytest.mark.parametrize("rate", PCM_RATES_HZ)
def test_equal_rates_change_nothing(rate: int) -> None:
    sound = noise(100)
    assert np.array_equal(resampled(sound, rate, rate), sound)
    assert Resampler(rate, rate).delay_samples == 0


@pytest.mark.parametrize("pair", [(0, 16000), (8000, 0), (-8000, 16000)])
def test_rates_that_are_no_rates_are_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not positive"):
        Resampler(*pair)
