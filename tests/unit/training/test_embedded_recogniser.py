"""The recogniser that ships keeps the contract its engines rely on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sherpa_onnx

from training.stt.features import SAMPLE_RATE, features
from training.stt.streaming import Stepper, windows

FOLDER = Path(__file__).parents[3] / "edge_node/models/embedded/stt-en-telephone"
MODELS = ("model.onnx", "model.int8.onnx")

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not FOLDER.exists(), reason="the model is not in this checkout"),
]


def babble(seed: int, level: float, length_s: float = 2.0) -> np.ndarray:
    """Syllables of buzz: as much like speech as a test can make without a voice."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(length_s * SAMPLE_RATE)) / SAMPLE_RATE
    buzz = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 30))
    syllables = np.clip(np.sin(2 * np.pi * 3 * t + rng.uniform(0, 6)), 0, 1)
    return (level * (buzz * syllables + 0.02 * rng.standard_normal(len(t)))).astype(np.float32)


def one_among(stepper: Stepper, neighbours: list[np.ndarray]) -> np.ndarray:
    """Log-probabilities of the same stream in a batch with these neighbours."""
    streams = [features(x) for x in (babble(1, 0.05), *neighbours)]
    state, found = stepper.start(len(streams)), []
    cut = [windows(x, stepper.window, stepper.shift) for x in streams]
    for step in zip(*cut, strict=True):
        log_probabilities, state = stepper.step(np.stack(step), state)
        found.append(log_probabilities[0])
    return np.concatenate(found)


def quiet_and_loud() -> tuple[list[np.ndarray], list[np.ndarray]]:
    quiet = [np.zeros(2 * SAMPLE_RATE, np.float32)] * 3
    return quiet, [babble(seed, 0.6) for seed in (2, 3, 4)]


@pytest.mark.parametrize("name", MODELS)
def test_neighbours_in_the_batch_change_nothing(name: str) -> None:
    """To the last bit: what a caller is understood to say is nobody else's business."""
    stepper = Stepper(FOLDER / name)
    quiet, loud = quiet_and_loud()
    assert np.array_equal(one_among(stepper, quiet), one_among(stepper, loud))


def test_dynamic_quantisation_would_let_neighbours_in(tmp_path: Path) -> None:
    """Why the scales are fixed: taken over the batch, they move with the loudest stream."""
    pytest.importorskip("onnx", reason="quantisation needs the training environment")
    from onnxruntime.quantization import quantize_dynamic  # noqa: PLC0415 - needs onnx

    path = tmp_path / "dynamic.onnx"
    quantize_dynamic(FOLDER / "model.onnx", path, op_types_to_quantize=["MatMul"])
    stepper = Stepper(path, facts=Stepper(FOLDER / "model.onnx").facts)
    quiet, loud = quiet_and_loud()
    assert not np.array_equal(one_among(stepper, quiet), one_among(stepper, loud))


@pytest.mark.parametrize("name", MODELS)
def test_sherpa_computes_the_features_trained_on(name: str) -> None:
    """A newer sherpa-onnx may compute others: then the model must be trained again."""
    recogniser = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        model=str(FOLDER / name), tokens=str(FOLDER / "tokens.txt"), num_threads=1
    )
    samples = babble(7, 0.2)
    stream = recogniser.create_stream()
    stream.accept_waveform(SAMPLE_RATE, samples)
    stream.input_finished()
    ours = features(samples)
    theirs = np.array(stream.get_frames(0, len(ours))).reshape(ours.shape)
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_tokens_and_model_agree(name: str) -> None:
    lines = (FOLDER / "tokens.txt").read_text(encoding="utf-8").splitlines()
    stepper = Stepper(FOLDER / name)
    silence = np.full((1, stepper.window, 80), -15.9, np.float32)
    log_probabilities, _ = stepper.step(silence, stepper.start(1))
    assert log_probabilities.shape == (1, stepper.shift // 4, len(lines))
    assert lines[-1].split() == ["<blk>", str(len(lines) - 1)]
    assert stepper.facts["vocab_size"] == len(lines) - 1


def test_it_ships_small() -> None:
    assert (FOLDER / "model.int8.onnx").stat().st_size <= 8_000_000
