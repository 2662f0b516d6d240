"""Writes a trained network as the ONNX file that sherpa-onnx's NeMo CTC recogniser loads.

Normalisations are folded into the layers before them and every dense layer is a MatMul: what
quantisation finds, and what runs fastest. `python -m training.stt.export --help`.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.stt import places
from training.stt.features import SUBSAMPLING
from training.stt.model import Block, Front, Recogniser, Shape, two_views
from training.stt.quantise import quantise
from training.stt.tokens import Pieces, write_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

INPUTS: Final = (
    "audio_signal",
    "length",
    "cache_last_channel",
    "cache_last_time",
    "cache_last_channel_len",
)
OUTPUTS: Final = (
    "logprobs",
    "encoded_lengths",
    "cache_last_channel_next",
    "cache_last_time_next",
    "cache_last_channel_next_len",
)
CHUNK_OUTPUTS: Final = 8
"""Outputs a step, 320 ms: the shift is 32 frames, the window 28 + 23."""

OPSET: Final = 17


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """What a trained batch normalisation does to each channel."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale.detach(), (norm.bias - norm.running_mean * scale).detach()


class Dense(nn.Module):
    """x @ weight + bias over the last axis."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().t().contiguous())
        self.bias = nn.Parameter(bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """The layer's answer."""
        return x @ self.weight + self.bias


def folded_dense(layer: nn.Module, norm: nn.Module) -> Dense:
    """A 1x1 convolution and its normalisation as one dense layer."""
    scale, shift = scale_and_shift(norm)
    return Dense(layer.weight[:, :, 0] * scale[:, None], shift)


class FoldedFront(nn.Module):
    """`model.Front`, folded; answers (batch, time, width)."""

    def __init__(self, front: Front) -> None:
        super().__init__()
        self.kernels = nn.ParameterList()
        self.shifts = nn.ParameterList()
        for conv, norm in ((front.conv1, front.norm1), (front.conv2, front.norm2)):
            scale, shift = scale_and_shift(norm)
            self.kernels.append((conv.weight * scale[:, None, None, None]).detach())
            self.shifts.append(shift)
        scale, shift = scale_and_shift(front.dense_norm)
        weight = front.dense.weight * scale[:, None, None]
        self.taps = weight.shape[2]
        self.dense = Dense(weight.permute(0, 2, 1).reshape(len(scale), -1), shift)

    def forward(self, features: Tensor) -> Tensor:
        """The same numbers as the front's, in another order."""
        y = two_views(features)
        for kernel, shift in zip(self.kernels, self.shifts, strict=True):
            y = functional.relu(functional.conv2d(y, kernel, shift, stride=2))
        batch, channels, time, bins = y.shape
        y = y.permute(0, 2, 1, 3).reshape(batch, time, channels * bins)
        count = time - self.taps + 1
        return functional.relu(
            self.dense(torch.cat([y[:, i : i + count] for i in range(self.taps)], 2))
        )


class FoldedBlock(nn.Module):
    """`model.Block`, folded; takes and answers (batch, time, width), and its next state."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        scale, shift = scale_and_shift(block.depthwise_norm)
        self.kernel = nn.Parameter((block.depthwise.weight * scale[:, None, None]).detach())
        self.shift = nn.Parameter(shift)
        self.widen = folded_dense(block.widen, block.widen_norm)
        self.narrow = folded_dense(block.narrow, block.narrow_norm)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """The block's answer, and the last inputs it has seen."""
        seen = torch.cat([past, x.transpose(1, 2)], 2)
        y = functional.conv1d(seen, self.kernel, self.shift, groups=self.kernel.shape[0]).transpose(
            1, 2
        )
        y = self.narrow(functional.relu(self.widen(y)))
        return functional.relu(x + y), seen[:, :, -past.shape[2] :]


class Streaming(nn.Module):
    """One step of the network: a window of features and the state in, log-probabilities out.

    The state is `cache_last_time` (batch, blocks, width, kernel - 1). `cache_last_channel` is
    unused but must stay connected: the exporter drops unused inputs, and the recogniser feeds it.
    """

    def __init__(self, network: Recogniser) -> None:
        super().__init__()
        self.front = FoldedFront(network.front)
        self.blocks = nn.ModuleList(FoldedBlock(block) for block in network.blocks)
        self.head = Dense(network.head.weight[:, :, 0], network.head.bias)

    def forward(
        self, window: Tensor, length: Tensor, channel: Tensor, past: Tensor, steps: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Inputs and outputs in the order of `INPUTS` and `OUTPUTS`."""
        x = self.front(window.transpose(1, 2))
        states = []
        for i, block in enumerate(self.blocks):
            x, state = block(x, past[:, i])
            states.append(state)
        count = x.shape[1]
        log_probabilities = functional.log_softmax(self.head(x), -1)
        seen = length * 0 + count
        return log_probabilities, seen, channel + 0.0, torch.stack(states, 1), steps + count


def metadata(shape: Shape) -> dict[str, str]:
    """What sherpa-onnx reads from the file. Its vocab_size leaves the blank out."""
    values: dict[str, object] = {
        "model_type": "EncDecCTCModelBPE",
        "window_size": SUBSAMPLING * (CHUNK_OUTPUTS - 1) + shape.right_context,
        "chunk_shift": SUBSAMPLING * CHUNK_OUTPUTS,
        "subsampling_factor": SUBSAMPLING,
        "vocab_size": shape.tokens - 1,
        "cache_last_channel_dim1": 1,
        "cache_last_channel_dim2": 1,
        "cache_last_channel_dim3": 1,
        "cache_last_time_dim1": shape.blocks,
        "cache_last_time_dim2": shape.width,
        "cache_last_time_dim3": shape.kernel - 1,
        "comment": "Heliovox stt-en-telephone",
    }
    return {key: str(value) for key, value in values.items()}


def example_inputs(shape: Shape, batch: int) -> tuple[Tensor, ...]:
    """Inputs of the right shapes: an unstarted state."""
    window = int(metadata(shape)["window_size"])
    return (
        torch.randn(batch, 80, window) * 2 - 8,
        torch.full((batch,), window),
        torch.zeros(batch, 1, 1, 1),
        torch.zeros(batch, shape.blocks, shape.width, shape.kernel - 1),
        torch.zeros(batch, dtype=torch.int64),
    )


def write_onnx(network: Recogniser, path: Path) -> None:
    """The float32 model with its metadata."""
    names = [*INPUTS, *OUTPUTS]
    torch.onnx.export(
        Streaming(network).eval(),
        example_inputs(network.shape, 2),
        str(path),
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        opset_version=OPSET,
        dynamo=False,
        dynamic_axes={name: {0: "N"} for name in names},
    )
    model = onnx.load(path)
    del model.metadata_props[:]
    for key, value in metadata(network.shape).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path)


def load_network(checkpoint: Path) -> Recogniser:
    """The averaged weights of a checkpoint, ready to run; a recovered one has no others."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    values = state["shape"]
    network = Recogniser(Shape(**{**values, "channels": tuple(values["channels"])}))
    averaged = {
        key.removeprefix("module."): value
        for key, value in state.get("average", {}).items()
        if key.startswith("module.")
    }
    network.load_state_dict(averaged or state["network"])
    return network.eval()


def write_sums(folder: Path) -> None:
    """SHA256SUMS of every other file, as the store wants them; its own code needs a node's."""
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(lines))


def main(arguments: Sequence[str] | None = None) -> None:
    """Exports a checkpoint: fp32, static int8, tokens and word pieces."""
    parser = places.parser(__doc__, assets=False)
    parser.add_argument("--into", type=Path, default=places.MODEL, help="folder of the model")
    asked = parser.parse_args(arguments)
    asked.into.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    network = load_network(asked.work / "checkpoint.pt")
    write_onnx(network, asked.into / "model.onnx")
    quantise(asked.into / "model.onnx", asked.into / "model.int8.onnx", asked.work)
    write_tokens(Pieces(asked.work / "bpe.model"), asked.into / "tokens.txt")
    shutil.copyfile(asked.work / "bpe.model", asked.into / "bpe.model")
    write_sums(asked.into)
    for path in sorted(asked.into.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
