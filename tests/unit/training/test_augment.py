"""Whatever happens to speech on its way, it stays sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy", reason="needs the training environment")

from training.stt import augment, tones

SEEDS = st.integers(0, 2**32)


def speech(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(8000 + int(rng.integers(8000)))).astype(np.float32)


@given(seed=SEEDS, heavy=st.booleans())
def test_a_copy_is_finite_within_range_and_no_shorter(seed: int, heavy: bool) -> None:
    level = augment.HEAVY if heavy else augment.LIGHT
    clean = speech(seed)
    rng = np.random.default_rng(seed)
    heard = augment.degrade(clean, rng, level, "train", [speech(1)], [speech(2)] * 6)
    assert heard.dtype == np.float32
    assert len(heard) >= len(clean)
    assert float(np.max(np.abs(heard))) <= 1


def test_equal_seeds_make_equal_copies() -> None:
    def copy() -> np.ndarray:
        rng = np.random.default_rng(3)
        return augment.degrade(speech(1), rng, augment.HEAVY, "train", [speech(1)], [])

    assert np.array_equal(copy(), copy())


def test_utterances_often_begin_right_at_their_first_word() -> None:
    """After a cut there is no silence before it: at least a quarter must be so in training."""
    rng = np.random.default_rng(1)
    leads = [augment.leading_s(rng) for _ in range(1000)]
    assert sum(lead <= 0.1 for lead in leads) > 250


@given(seed=SEEDS)
def test_mulaw_stays_within_its_step(seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-1, 1, 100).astype(np.float32)
    assert float(np.max(np.abs(augment.mulaw(x) - x))) < 0.03


def test_tight_cuts_silence_and_nothing_else() -> None:
    x = np.concatenate([np.zeros(500), np.ones(300), np.zeros(200)]).astype(np.float32)
    assert np.array_equal(augment.tight(x, 0.1), np.ones(300, np.float32))
    assert len(augment.tight(np.zeros(10, np.float32), 0.1)) == 10


@given(seed=SEEDS, length=st.integers(1000, 40_000))
def test_tones_have_the_length_asked_for(seed: int, length: int) -> None:
    y = tones.tonal(length, np.random.default_rng(seed))
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))
