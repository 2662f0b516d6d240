"""Sound as numbers: formats, companding, resampling, positions. All of it pure."""

from shared.audio.formats import (
    FULL_SCALE,
    Decoder,
    Samples,
    check_format,
    decode,
    encode,
    from_pcm16,
    to_pcm16,
)
from shared.audio.positions import GRID_MS, MODEL_RATE_HZ, at_rate, grid_samples, is_on_grid
from shared.audio.resampling import Resampler

__all__ = [
    "FULL_SCALE",
    "GRID_MS",
    "MODEL_RATE_HZ",
    "Decoder",
    "Resampler",
    "Samples",
    "at_rate",
    "check_format",
    "decode",
    "encode",
    "from_pcm16",
    "grid_samples",
    "is_on_grid",
    "to_pcm16",
]
