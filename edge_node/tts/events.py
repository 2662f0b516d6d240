"""What a synthesis stream yields."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Audio of a clause: float32 mono in -1..1."""

    samples: NDArray[np.float32]
    sample_rate: int


@dataclass(frozen=True, slots=True)
class VoiceSwitch:
    """From here on another voice speaks, because the first one could not."""

    from_voice: str
    to_voice: str
    reason: str
