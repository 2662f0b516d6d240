"""Static int8: scales measured once on training speech and then fixed.

Dynamic quantisation takes its scales over the whole batch, so that a neighbour's loudness changes
one's words; fixed scales cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from training.stt import shards
from training.stt.streaming import Feeds, Stepper, windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALIBRATION_UTTERANCES: Final = 240
BATCH: Final = 16
REDUCE_RANGE: Final = True
"""7-bit weights: with 8 bits, processors without VNNI may overflow and hear other words."""


class _Reader(CalibrationDataReader):
    """Hands the calibrator one step's inputs at a time."""

    def __init__(self, feeds: Iterator[Feeds]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feeds | None:
        return next(self._feeds, None)


def calibration(model: Path, work: Path) -> Iterator[Feeds]:
    """Steps of real streams: training features of every kind, each with its true state."""
    stepper = Stepper(model)
    paths = sorted((work / "features").glob("*.json"))
    rng = np.random.default_rng(7)
    chosen: list[shards.Example] = []
    for path in rng.permutation(np.array(paths, object))[:12]:
        examples = list(shards.read_features(path))
        picks = rng.permutation(len(examples))[: CALIBRATION_UTTERANCES // 12]
        chosen += [examples[i] for i in picks]
    for start in range(0, len(chosen), BATCH):
        group = chosen[start : start + BATCH]
        cut = [
            list(windows(e.frames.astype(np.float32), stepper.window, stepper.shift)) for e in group
        ]
        steps = int(np.median([len(one) for one in cut]))
        full = [one[:steps] for one in cut if len(one) >= steps]
        state = stepper.start(len(full))
        for i in range(steps):
            seen = np.stack([one[i] for one in full])
            yield stepper.feeds(seen, state)
            _, state = stepper.step(seen, state)


def quantise(model: Path, into: Path, work: Path) -> None:
    """Writes `model` with its dense layers in int8, weights by channel, and its metadata."""
    quantize_static(
        str(model),
        str(into),
        _Reader(calibration(model, work)),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        reduce_range=REDUCE_RANGE,
        extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
    )
    before, after = onnx.load(model), onnx.load(into)
    del after.metadata_props[:]
    after.metadata_props.extend(before.metadata_props)
    onnx.save(after, into)
