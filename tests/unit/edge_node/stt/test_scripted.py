"""The scripted recogniser reads what was written, however the audio travelled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.scripted import LETTERS, ScriptedEngine, script_audio

TEXTS = st.text(alphabet=LETTERS + " ", max_size=40)


def read(audio: np.ndarray) -> str:
    engine = ScriptedEngine()
    stream = engine.open()
    profile = engine.profile
    engine.accept(stream, audio)
    engine.accept(stream, np.zeros(profile.tail_samples + profile.chunk_samples, np.float32))
    tokens = []
    while engine.ready(stream):
        tokens += engine.step([stream])[0]
    return "".join(token.text for token in tokens).replace("▁", " ").strip()


@given(text=TEXTS)
def test_what_was_written_is_read(text: str) -> None:
    assert read(script_audio(text)) == " ".join(text.split())


@given(text=TEXTS)
def test_16_bits_are_enough(text: str) -> None:
    pcm = np.round(script_audio(text) * 32767).astype(np.int16)
    assert read(pcm.astype(np.float32) / 32768) == " ".join(text.split())


@given(text=TEXTS, late=st.integers(-150, 150))
def test_a_quarter_frame_late_is_still_read(text: str, late: int) -> None:
    """What a resampler's delay does."""
    assert read(np.roll(script_audio(text + " "), late)) == " ".join(text.split())


def test_an_unknown_letter_is_named() -> None:
    with pytest.raises(ValueError, match="é"):
        script_audio("café")
