"""The acoustic network: phones in, frames out. Like FastSpeech, of gated convolutions alone."""

from dataclasses import asdict, dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.tts.analyse import BANDS

APERIODICITIES: Final = 4
LOG_F0: Final = BANDS + APERIODICITIES
VOICING: Final = LOG_F0 + 1
_DILATIONS: Final = (1, 2, 4, 2, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the network is; `phones` counts the symbols."""

    phones: int
    width: int = 128
    encoder_blocks: int = 3
    decoder_blocks: int = 4


class GatedBlock(nn.Module):
    """A residual gated convolution over a normalised input."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.norm = nn.LayerNorm(width)
        self.convolution = nn.Conv1d(width, 2 * width, kernel, padding=padding, dilation=dilation)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(b, width, t) to the same; `mask` (b, 1, t) keeps padding at zero."""
        normed = self.norm(x.transpose(1, 2)).transpose(1, 2)
        y = x + self.dropout(functional.glu(self.convolution(normed), 1))
        return y if mask is None else y * mask


class Acoustic(nn.Module):
    """Predicts log durations per phone, and 70 normalised values per frame of 8 ms."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.shape = asdict(shape)
        self.embedding = nn.Embedding(shape.phones, width)
        self.encoder = nn.ModuleList(GatedBlock(width, 5, 1) for _ in range(shape.encoder_blocks))
        self.duration = nn.Sequential(
            nn.Conv1d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(width, 1, 1),
        )
        self.position = nn.Linear(3, width)
        self.decoder = nn.ModuleList(
            GatedBlock(width, 7, _DILATIONS[i]) for i in range(shape.decoder_blocks)
        )
        self.out = nn.Conv1d(width, VOICING + 1, 1)
        self.register_buffer("mean", torch.zeros(VOICING))
        self.register_buffer("deviation", torch.ones(VOICING))

    def encode(self, phones: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(b, n) to hidden (b, width, n) and log(frames + 1) per phone (b, n)."""
        hidden = self.embedding(phones).transpose(1, 2)
        hidden = hidden if mask is None else hidden * mask
        for block in self.encoder:
            hidden = block(hidden, mask)
        seen = hidden.detach() if self.training else hidden  # durations do not shape the encoder
        return hidden, self.duration(seen).squeeze(1)

    def decode(
        self,
        hidden: Tensor,
        phone_at: Tensor,
        through: Tensor,
        frames_in_phone: Tensor,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Frames (b, 70, t), normalised.

        Args:
            hidden: from `encode`.
            phone_at: (b, t), which phone each frame belongs to.
            through: (b, t), how far through its phone a frame is, 0 to 1.
            frames_in_phone: (b, t), how long that phone is.
            mask: (b, 1, t).
        """
        spread = torch.gather(hidden, 2, phone_at.unsqueeze(1).expand(-1, hidden.shape[1], -1))
        where = torch.stack([through, 1 - through, torch.log1p(frames_in_phone)], -1)
        x = spread + self.position(where).transpose(1, 2)
        x = x if mask is None else x * mask
        for block in self.decoder:
            x = block(x, mask)
        return torch.as_tensor(self.out(x))
