"""The recogniser's network: a small causal convolutional CTC model with explicit state."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.stt.features import SUBSAMPLING


@dataclass(frozen=True, slots=True)
class Shape:
    """The network's sizes. The defaults are 3.6 M parameters, 3.6 MB as int8."""

    tokens: int = 320
    width: int = 256
    blocks: int = 10
    kernel: int = 9
    expansion: int = 2
    front_taps: int = 5
    """Frames (of 40 ms) the front sees at once. 5 give a right context of 23 feature frames."""
    channels: tuple[int, int] = (16, 32)
    dropout: float = 0.08

    @property
    def right_context(self) -> int:
        """Feature frames that the first output needs."""
        return 7 + SUBSAMPLING * (self.front_taps - 1)


class Block(nn.Module):
    """Depthwise over time, looking back only, then two dense layers, added to the input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, inner = shape.width, shape.width * shape.expansion
        self.depthwise = nn.Conv1d(width, width, shape.kernel, groups=width, bias=False)
        self.depthwise_norm = nn.BatchNorm1d(width)
        self.widen = nn.Conv1d(width, inner, 1, bias=False)
        self.widen_norm = nn.BatchNorm1d(inner)
        self.narrow = nn.Conv1d(inner, width, 1, bias=False)
        self.narrow_norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout1d(shape.dropout)

    def forward(self, x: Tensor, past: Tensor) -> Tensor:
        """`x` (batch, width, time), `past` (batch, width, kernel - 1): what came before it."""
        y = self.depthwise_norm(self.depthwise(torch.cat([past, x], 2)))
        y = functional.relu(self.widen_norm(self.widen(y)))
        y = self.narrow_norm(self.narrow(y))
        return functional.relu(x + self.dropout(y))


class Front(nn.Module):
    """Features (batch, frames, 80) to (batch, width, frames / 4), without padding or state."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        first, second = shape.channels
        self.conv1 = nn.Conv2d(2, first, 3, stride=2, bias=False)
        self.norm1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, stride=2, bias=False)
        self.norm2 = nn.BatchNorm2d(second)
        self.dense = nn.Conv1d(second * 19, shape.width, shape.front_taps, bias=False)
        self.dense_norm = nn.BatchNorm1d(shape.width)

    def forward(self, features: Tensor) -> Tensor:
        """Two views go in: the spectrum's shape without its level, and the level."""
        y = functional.relu(self.norm1(self.conv1(two_views(features))))
        y = functional.relu(self.norm2(self.conv2(y)))
        batch, channels, time, bins = y.shape
        y = y.permute(0, 1, 3, 2).reshape(batch, channels * bins, time)
        return functional.relu(self.dense_norm(self.dense(y)))


def two_views(features: Tensor) -> Tensor:
    """(batch, frames, 80) to (batch, 2, frames, 80), each about within +-2."""
    mean = features.mean(2, keepdim=True)
    return torch.stack([(features - mean) / 2, (features + 8) / 4], 1)


class Recogniser(nn.Module):
    """The whole network; the last token is CTC's blank."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.front = Front(shape)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.head = nn.Conv1d(shape.width, shape.tokens, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Log-probabilities (batch, outputs, tokens), float32."""
        x = self.front(features)
        past = x.new_zeros(x.shape[0], self.shape.width, self.shape.kernel - 1)
        for block in self.blocks:
            x = block(x, past)
        return functional.log_softmax(self.head(x).transpose(1, 2).float(), -1)

    def outputs(self, frames: int) -> int:
        """How many outputs so many feature frames give."""
        return max(0, (frames - self.shape.right_context) // SUBSAMPLING + 1)
