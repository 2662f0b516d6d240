"""The exported network, fed step by step, says what the trained one says of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the training environment")
pytest.importorskip("sentencepiece", reason="needs the training environment")

from training.stt import export  # noqa: E402 - after the skip
from training.stt.model import Recogniser, Shape  # noqa: E402
from training.stt.streaming import Stepper  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the exporter
SMALL = Shape(tokens=11, width=16, blocks=3, channels=(2, 4))


def trained_a_little() -> Recogniser:
    """A network whose normalisations are not what they were initialised to."""
    torch.manual_seed(1)
    network = Recogniser(SMALL)
    for _ in range(3):
        network(torch.randn(4, 120, 80) * 3 - 8)
    return network.eval()


def test_streaming_is_exact(tmp_path: Path) -> None:
    """Through ONNX, chunk by chunk, against the whole utterance at once."""
    network = trained_a_little()
    export.write_onnx(network, tmp_path / "model.onnx")
    features = np.random.default_rng(1).normal(-8, 3, (51 + 32 * 5, 80)).astype(np.float32)
    whole = network(torch.from_numpy(features)[None])[0].detach().numpy()
    steps = Stepper(tmp_path / "model.onnx").run(features)
    assert steps.shape == whole.shape == (48, 11)
    np.testing.assert_allclose(steps, whole, atol=1e-4)


def test_the_network_never_looks_further_ahead_than_it_says() -> None:
    """An output depends on `right_context` frames from its own first one on, and on the past."""
    network = trained_a_little()
    features = torch.randn(1, 200, 80) - 8
    changed = features.clone()
    changed[:, 100:] += 1
    before, after = network(features), network(changed)
    same = [bool(torch.equal(a, b)) for a, b in zip(before[0], after[0], strict=True)]
    first_seeing = (100 - SMALL.right_context) // 4 + 1
    assert all(same[:first_seeing])
    assert not any(same[first_seeing : first_seeing + 5])


def test_every_input_stays_in_the_file(tmp_path: Path) -> None:
    """sherpa-onnx feeds five inputs by position; the exporter would drop the unused ones."""
    export.write_onnx(trained_a_little(), tmp_path / "model.onnx")
    session = Stepper(tmp_path / "model.onnx").session
    assert [one.name for one in session.get_inputs()] == list(export.INPUTS)
    assert [one.name for one in session.get_outputs()] == list(export.OUTPUTS)
