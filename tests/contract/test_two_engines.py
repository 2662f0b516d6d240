"""Two engines, one model: the same words from the same audio."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_node.stt.model_files import Variant
from tests.contract.engines import hear, human_speech, real_engine, with_tail

pytestmark = [pytest.mark.model, pytest.mark.speech]


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_both_engines_say_the_same_tokens_at_the_same_times(assets: Path, variant: Variant) -> None:
    onnx, sherpa = real_engine("onnx", variant), real_engine("sherpa", variant)
    for audio in human_speech(assets, 30):
        padded = with_tail(onnx, audio)
        ours, theirs = hear(onnx, padded), hear(sherpa, padded)
        assert [token.text for token in ours] == [token.text for token in theirs]
        apart = [abs(a.frame - b.frame) for a, b in zip(ours, theirs, strict=True)]
        # their features differ by 8e-5 at most: int8 may round that to the frame beside
        assert max(apart, default=0) <= (0 if variant == "fp32" else 1)


def test_both_engines_are_stepped_alike() -> None:
    """So that what sits above need not know which it has."""
    onnx, sherpa = real_engine("onnx", "fp32"), real_engine("sherpa", "fp32")
    assert replace(onnx.profile, graphs=(), graph="") == sherpa.profile  # it has no graphs
