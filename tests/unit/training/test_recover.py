"""A network that was exported can be trained on: what the export folded is put back."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the training environment")
pytest.importorskip("sentencepiece", reason="needs the training environment")

from training.stt import recover  # noqa: E402 - after the skip
from training.stt.export import write_onnx  # noqa: E402
from training.stt.model import Recogniser, Shape  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the exporter
SMALL = Shape(tokens=12, width=16, blocks=2, channels=(4, 8), dropout=0.0)


def used(shape: Shape) -> Recogniser:
    """A network whose normalisations have seen something."""
    torch.manual_seed(1)
    network = Recogniser(shape).train()
    for _ in range(30):
        network(torch.randn(4, 120, 80) * 2 - 8)
    return network.eval()


def test_the_recovered_network_says_what_the_file_says_and_can_be_trained(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    write_onnx(used(SMALL), file)
    weights = recover.initializers(file)
    assert recover.shape_of(weights) == Shape(**{**_fields(SMALL), "dropout": Shape().dropout})
    network = Recogniser(SMALL)
    heard = [torch.randn(8, 200, 80) * 2 - 8]
    recover.unfold(network, weights, heard)
    features = (np.random.default_rng(1).normal(size=(150, 80)) * 2 - 8).astype(np.float32)
    assert recover.difference(network, file, features) < 1e-3
    with torch.no_grad():
        as_in_training, as_shipped = network.train()(heard[0]), network.eval()(heard[0])
    assert torch.allclose(as_in_training, as_shipped, atol=0.05)


def _fields(shape: Shape) -> dict[str, object]:
    return {name: getattr(shape, name) for name in Shape.__dataclass_fields__}
