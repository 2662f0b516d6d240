"""Makes a checkpoint from an exported model, to train on from: `python -m training.stt.recover`.

The export folds every normalisation into the layer before it, so scale and shift are lost, but
nothing that the network computes: with the statistics of training features put back, a
normalisation that undoes itself gives the same network, and one that can be trained.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.stt import batches, places, shards
from training.stt.model import Recogniser, Shape
from training.stt.streaming import Stepper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Weights = Mapping[str, Tensor]
Layers = list[tuple[nn.Module, nn.Module, Tensor, Tensor]]
"""A layer, the normalisation behind it, and the folded weight and shift of the two."""

ROW: Final = 0.07
FEW_INPUTS: Final = 0.7
"""What a channel's weights are scaled to (root mean square), more where it has few inputs: behind a
normalisation their size means nothing but how far a step of training moves them."""

UTTERANCES: Final = 400


def initializers(path: Path) -> dict[str, Tensor]:
    """The weights of an exported model by name."""
    graph = onnx.load(path).graph
    return {one.name: torch.tensor(numpy_helper.to_array(one)) for one in graph.initializer}


def _dense(weights: Weights, name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"].t()[:, :, None], weights[f"{name}.bias"]


def layers(network: Recogniser, weights: Weights) -> Layers:
    """Where each folded weight belongs."""
    front = network.front
    taps = front.dense.weight.shape[2]
    dense = weights["front.dense.weight"].t().reshape(front.dense.weight.shape[0], taps, -1)
    found: Layers = [
        (front.conv1, front.norm1, weights["front.kernels.0"], weights["front.shifts.0"]),
        (front.conv2, front.norm2, weights["front.kernels.1"], weights["front.shifts.1"]),
        (front.dense, front.dense_norm, dense.permute(0, 2, 1), weights["front.dense.bias"]),
    ]
    for i, block in enumerate(network.blocks):
        name = f"blocks.{i}"
        kernel, shift = weights[f"{name}.kernel"], weights[f"{name}.shift"]
        found += [
            (block.depthwise, block.depthwise_norm, kernel, shift),
            (block.widen, block.widen_norm, *_dense(weights, f"{name}.widen")),
            (block.narrow, block.narrow_norm, *_dense(weights, f"{name}.narrow")),
        ]
    return found


def unfold(network: Recogniser, weights: Weights, heard: Sequence[Tensor]) -> None:
    """Puts the folded weights into `network`, with normalisations that fit `heard`.

    Args:
        network: of the same shape as the exported one.
        weights: `initializers` of the export.
        heard: batches of features as training gives them.
    """
    places_ = layers(network, weights)
    with torch.no_grad():
        for layer, norm, weight, shift in places_:
            wanted = max(ROW, FEW_INPUTS / weight[0].numel() ** 0.5)
            size = weight.flatten(1).square().mean(1).sqrt().clamp_min(1e-8) / wanted
            layer.weight.copy_(weight / size.reshape(-1, *[1] * (weight.dim() - 1)))
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
            norm.weight.copy_(size)
            norm.bias.copy_(shift)
        network.head.weight.copy_(weights["head.weight"].t()[:, :, None])
        network.head.bias.copy_(weights["head.bias"])
        for norm, mean, variance in _statistics(network, [one[1] for one in places_], heard):
            spread = torch.sqrt(variance + norm.eps)
            norm.bias.add_(norm.weight * mean)
            norm.weight.mul_(spread)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)


def _statistics(
    network: Recogniser, norms: Sequence[nn.Module], heard: Sequence[Tensor]
) -> list[tuple[nn.Module, Tensor, Tensor]]:
    """Mean and variance of what each normalisation is given."""
    sums: dict[nn.Module, list[Tensor]] = {norm: [] for norm in norms}

    def keep(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double().transpose(0, 1).flatten(1)
        sums[norm].append(
            torch.stack([x.new_full((len(x),), x.shape[1]), x.sum(1), (x * x).sum(1)])
        )

    hooks = [norm.register_forward_pre_hook(keep) for norm in norms]
    network.eval()
    for features in heard:
        network(features)
    for hook in hooks:
        hook.remove()
    found = []
    for norm, parts in sums.items():
        count, total, squares = torch.stack(parts).sum(0)
        mean = total / count
        found.append((norm, mean.float(), (squares / count - mean * mean).clamp_min(0).float()))
    return found


def shape_of(weights: Weights) -> Shape:
    """The sizes of an exported network."""
    width, tokens = weights["head.weight"].shape
    first, second = (len(weights[f"front.shifts.{i}"]) for i in (0, 1))
    return Shape(
        tokens=tokens,
        width=width,
        blocks=sum(name.endswith(".kernel") for name in weights),
        kernel=weights["blocks.0.kernel"].shape[2],
        expansion=weights["blocks.0.widen.weight"].shape[1] // width,
        front_taps=weights["front.dense.weight"].shape[0] // (second * 19),
        channels=(first, second),
    )


def sample(work: Path, rng: np.random.Generator) -> Iterator[Tensor]:
    """Batches of training features, drawn from every shard alike."""
    paths = sorted((work / "features").glob("*.json"))
    examples: list[shards.Example] = []
    for path in paths:
        rows = list(shards.read_features(path))
        count = min(len(rows), 1 + UTTERANCES // len(paths))
        examples += [rows[i] for i in rng.permutation(len(rows))[:count]]
    items = [batches.Item(one, (), len(one.frames) // 4) for one in examples]
    for batch in batches.into_batches(items, rng, 80.0):
        yield torch.from_numpy(batches.padded([item.example.frames for item in batch]))


def difference(network: Recogniser, model: Path, features: np.ndarray) -> float:
    """The largest difference between the log-probabilities of the network and of the file."""
    found = Stepper(model).run(features)
    with torch.no_grad():
        ours = network.eval()(torch.from_numpy(features)[None])[0].numpy()
    return float(np.abs(ours[: len(found)] - found).max())


def main() -> None:
    """Writes `checkpoint.pt` of the network in `model.onnx`, and its word pieces."""
    parser = places.parser(__doc__, assets=False)
    parser.add_argument("--model", type=Path, default=places.MODEL, help="folder of the model")
    asked = parser.parse_args()
    model = asked.model / "model.onnx"
    weights = initializers(model)
    network = Recogniser(shape_of(weights))
    rng = np.random.default_rng(1)
    unfold(network, weights, list(sample(asked.work, rng)))
    path = min((asked.work / "features").glob("*.json"))
    for example in list(shards.read_features(path))[:3]:
        print(f"difference {difference(network, model, example.frames.astype(np.float32)):.2e}")
    shutil.copyfile(asked.model / "bpe.model", asked.work / "bpe.model")
    state = {"shape": asdict(network.shape), "network": network.state_dict()}
    torch.save(state, asked.work / "checkpoint.pt")


if __name__ == "__main__":
    main()
