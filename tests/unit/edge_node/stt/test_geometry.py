"""How a model walks over audio, checked against the walk itself."""

from hypothesis import assume, given
from hypothesis import strategies as st

from edge_node.stt.features import HOP_SAMPLES, LEAD_SAMPLES, WINDOW_SAMPLES, span_samples
from edge_node.stt.geometry import Geometry, fits

GEOMETRIES = st.builds(
    Geometry, st.integers(8, 200), st.integers(1, 25).map(lambda n: 4 * n), st.just(4)
)


def test_the_embedded_model_looks_200_ms_ahead() -> None:
    geometry = Geometry(window=51, shift=32)
    assert geometry.chunk_samples == 5120
    assert geometry.delay_samples == 3200
    assert geometry.first_token_frame(0) == -5
    assert geometry.context_samples == 280


@given(geometry=GEOMETRIES)
def test_the_silence_fills_the_first_window_and_little_more(geometry: Geometry) -> None:
    window_end = (geometry.window - 1) * HOP_SAMPLES - LEAD_SAMPLES + WINDOW_SAMPLES
    assert 0 <= geometry.silence_samples - window_end < geometry.frame_samples


@given(geometry=GEOMETRIES, step=st.integers(0, 1000))
def test_a_step_hears_exactly_its_chunk_and_the_context_before_it(
    geometry: Geometry, step: int
) -> None:
    """The new frames of a window, placed by where frames lie in the audio with its silence."""
    assume(fits(geometry) is None)
    window_begin = (step + 1) * geometry.shift
    first_new = window_begin + geometry.overlap
    begin = first_new * HOP_SAMPLES - LEAD_SAMPLES - geometry.silence_samples
    end = begin + span_samples(geometry.shift)
    assert begin == step * geometry.chunk_samples - geometry.context_samples
    assert end <= (step + 1) * geometry.chunk_samples


@given(geometry=GEOMETRIES, step=st.integers(0, 1000))
def test_tokens_are_placed_from_the_callers_first_sample(geometry: Geometry, step: int) -> None:
    frames_of_a_step = geometry.shift // geometry.subsampling
    end_frame = geometry.first_token_frame(step) + frames_of_a_step
    heard_samples = (step + 1) * geometry.chunk_samples - geometry.delay_samples
    assert end_frame * geometry.frame_samples == heard_samples


def test_impossible_walks_are_named() -> None:
    assert "window_size" in (fits(Geometry(16, 32)) or "")
    assert "whole number" in (fits(Geometry(51, 30)) or "")
    assert fits(Geometry(51, 32)) is None
