"""A trained network with its vocoder as one ONNX file, by sherpa-onnx's contract for VITS voices.

Inputs, in order: x i64 (1, n), x_length i64 (1), noise_scale, length_scale, noise_scale_w f32 (1).
Output: samples f32 (1, t) in +-1 at 16 kHz. Large weights are stored as float16, and become
float32 again when the file is loaded.
"""

import logging
import warnings
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from edge_node.tts.phones import SYMBOLS
from training.tts.analyse import BANDS
from training.tts.network import LOG_F0, VOICING, Acoustic
from training.tts.teachers import SAMPLE_RATE
from training.tts.vocoder import Vocoder

_LOG = logging.getLogger(__name__)
_USUAL_NOISE: Final = 0.667  # sherpa-onnx's default noise_scale, which here means "as trained"
_LARGE: Final = 4096  # values; smaller tensors are not worth a cast


class Voice(nn.Module):
    """Phones to samples, durations rounded on the way."""

    def __init__(self, acoustic: Acoustic, lowest_hz: float, highest_hz: float) -> None:
        super().__init__()
        self.acoustic, self.vocoder = acoustic, Vocoder()
        self._range_hz = (lowest_hz, highest_hz)

    def forward(
        self, x: Tensor, x_length: Tensor, noise: Tensor, length: Tensor, noise_w: Tensor
    ) -> Tensor:
        """By the contract above; `x_length` and `noise_w` change nothing, but must be there."""
        hidden, log_frames = self.acoustic.encode(x + 0 * x_length)
        frames = torch.round((torch.exp(log_frames) - 1).clamp(1, 200) * length).clamp(min=1)
        ends = torch.cumsum(frames, 1)
        at = torch.arange(ends[0, -1].to(torch.int64)).to(torch.float32)
        phone_at = (at[:, None] >= ends).to(torch.int64).sum(1).unsqueeze(0)
        inside = torch.gather(frames, 1, phone_at)
        through = (at.unsqueeze(0) - torch.gather(ends - frames, 1, phone_at) + 0.5) / inside
        out = self.acoustic.decode(hidden, phone_at, through, inside)
        values = out[:, :VOICING] * self.acoustic.deviation[:, None]
        values = values + self.acoustic.mean[:, None]
        f0 = torch.exp(values[:, LOG_F0]).clamp(*self._range_hz)
        voiced = (out[:, VOICING] > 0).to(torch.float32)
        samples: Tensor = self.vocoder(
            values[:, :BANDS], values[:, BANDS:LOG_F0], f0, voiced, noise / _USUAL_NOISE
        )
        return (samples + 0 * noise_w).clamp(-1, 1)


def _halve(model: onnx.ModelProto) -> None:
    """Large float32 weights to float16 with a cast behind each, folded away at load."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < _LARGE:
            continue
        stored = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
        cast = helper.make_node("Cast", [stored.name], [tensor.name], to=TensorProto.FLOAT)
        graph.initializer.remove(tensor)
        graph.initializer.append(stored)
        casts.append(cast)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _describe(model: onnx.ModelProto, name: str) -> None:
    """The metadata that sherpa-onnx asks for."""
    del model.metadata_props[:]
    for key, value in {
        "model_type": "vits",
        "comment": f"heliovox {name}",
        "language": "English",
        "sample_rate": SAMPLE_RATE,
        "n_speakers": 1,
        "add_blank": 0,
        "punctuation": "^ , . ?",
        "symbols": " ".join(SYMBOLS),
    }.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)


def export(acoustic: Acoustic, name: str, into: Path) -> None:
    """Writes `into`/model.onnx and `into`/tokens.txt."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / "model.onnx"
    centre = float(acoustic.mean[LOG_F0])
    spread = 4 * float(acoustic.deviation[LOG_F0])
    lowest, highest = np.exp([centre - spread, centre + spread])
    voice = Voice(acoustic.eval(), max(60.0, float(lowest)), min(400.0, float(highest))).eval()
    ones = torch.ones(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            voice,
            (torch.arange(5, 25)[None], torch.tensor([20]), ones * _USUAL_NOISE, ones, ones),
            str(path),
            opset_version=17,
            dynamo=False,
            do_constant_folding=False,  # else the vocoder's matrices would be stored
            input_names=["x", "x_length", "noise_scale", "length_scale", "noise_scale_w"],
            output_names=["y"],
            dynamic_axes={"x": {1: "n"}, "y": {1: "t"}},
        )
    model = onnx.load(str(path))
    _halve(model)
    _describe(model, name)
    onnx.save(model, str(path))
    lines = [f"{symbol} {index}\n" for index, symbol in enumerate(SYMBOLS)]
    (into / "tokens.txt").write_text("".join(lines))
    _LOG.info("%s: %.2f MB", path, path.stat().st_size / 1e6)
