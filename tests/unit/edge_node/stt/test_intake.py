"""The engine hears the caller's samples, all of them, and then silence."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.intake import Intake
from edge_node.stt.scripted import DEFAULT_PROFILE
from heliovox.protocol.audio import AudioFormat
from shared.audio import Resampler, encode

PROFILE = replace(DEFAULT_PROFILE, chunk_samples=1280, delay_samples=640, tail_samples=1280)


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000])
@given(samples=st.integers(1, 9000))
def test_an_utterance_ends_with_its_last_sample_and_silence(rate: int, samples: int) -> None:
    audio = AudioFormat("pcm_s16le", rate)
    intake = Intake(audio, PROFILE)
    data = encode(audio, noise(samples))
    intake.replay.append(data)
    pieces: list[np.ndarray] = []
    while not intake.tail_is_out(samples):
        piece = intake.next_step() if intake.needs() <= samples else intake.next_tail(samples)
        assert piece is not None
        pieces.append(piece)
    heard, expected = np.concatenate(pieces), as_heard(data, rate)
    np.testing.assert_array_equal(heard[: len(expected)], expected)
    assert not heard[len(expected) :].any()
    assert len(heard) >= len(expected) + PROFILE.tail_samples


def as_heard(data: bytes, rate: int) -> np.ndarray:
    samples = np.frombuffer(data, "<i2").astype(np.float32) / 32768
    if rate == PROFILE.sample_rate:
        return samples
    resampler = Resampler(rate, PROFILE.sample_rate)
    return np.concatenate([resampler.push(samples), resampler.finish()])
