"""Greedy CTC: the best symbol of each frame, repeats and blanks dropped, with its probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Emitted:
    """A symbol where it began."""

    symbol: int
    frame: int
    """Within the frames given."""
    probability: float


def greedy(
    logprobs: NDArray[np.float32], last: Sequence[int], blank: int
) -> tuple[list[list[Emitted]], list[int]]:
    """Decodes the next frames of several streams.

    Args:
        logprobs: shape (streams, frames, symbols).
        last: the best symbol of the frame before, of each stream (`blank` at the start).
        blank: the symbol that stands for nothing new.

    Returns:
        What each stream emits, and the new `last`.
    """
    best = logprobs.argmax(axis=2)
    before = np.concatenate([np.asarray(last, best.dtype)[:, None], best[:, :-1]], axis=1)
    emitted: list[list[Emitted]] = [[] for _ in last]
    for stream, frame in np.argwhere((best != blank) & (best != before)).tolist():
        symbol = int(best[stream, frame])
        probability = float(np.exp(logprobs[stream, frame, symbol]))
        emitted[stream].append(Emitted(symbol, frame, min(1.0, probability)))
    return emitted, best[:, -1].tolist()
