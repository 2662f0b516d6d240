"""Why the int8 model is quantised statically: a dynamic scale hears the neighbours."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_node.models import embedded_folder
from edge_node.stt.engine import Engine, Samples
from edge_node.stt.loading import load_engine
from tests.contract.engines import (
    RECOGNISER,
    hear_together,
    human_speech,
    our_speech,
    real_engine,
    with_tail,
)

pytestmark = pytest.mark.model


@pytest.fixture
def speech(request: pytest.FixtureRequest) -> tuple[Samples, ...]:
    return our_speech() or human_speech(request.getfixturevalue("assets"), 4)


def moved_by_neighbours(engine: Engine, speech: tuple[Samples, ...]) -> bool:
    """Whether any token, or its probability, depends on how loud the others in the batch are."""
    mine = with_tail(engine, speech[0])
    heard = [
        hear_together(engine, [mine, *(with_tail(engine, other * gain) for other in speech[1:])])[0]
        for gain in np.array([0.0, 0.05, 1.0, 20.0], np.float32)
    ]
    return any(tokens != heard[0] for tokens in heard)


def test_our_int8_model_does_not_hear_them(speech: tuple[Samples, ...]) -> None:
    assert not moved_by_neighbours(real_engine("onnx", "int8"), speech)


def test_a_dynamically_quantised_one_does(tmp_path: Path, speech: tuple[Samples, ...]) -> None:
    """The same weights, the same tool, the scale of each product taken over its whole batch."""
    pytest.importorskip("onnx", reason="quantising needs the package onnx")
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 needs onnx

    folder = embedded_folder(RECOGNISER)
    if not (folder / "model.onnx").is_file():
        pytest.skip(f"{RECOGNISER} is not here")
    shutil.copy(folder / "tokens.txt", tmp_path)
    quantize_dynamic(
        folder / "model.onnx",
        tmp_path / "model.int8.onnx",
        op_types_to_quantize=["MatMul"],
        weight_type=QuantType.QInt8,
    )
    assert moved_by_neighbours(load_engine(tmp_path, "onnx", "int8"), speech)
