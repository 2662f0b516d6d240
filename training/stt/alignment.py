"""Where in a recording each token was said: the best path through CTC's states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

F32 = NDArray[np.float32]


def forced(log_probabilities: F32, tokens: Sequence[int], blank: int) -> list[int] | None:
    """The output at which each token is first said, on the best path; None where none fits.

    Args:
        log_probabilities: shape (outputs, all tokens).
        tokens: what was said.
        blank: CTC's blank.
    """
    if not tokens:
        return []
    states = [blank]
    for token in tokens:
        states += [token, blank]
    count, outputs = len(states), len(log_probabilities)
    if outputs < len(tokens):
        return None
    score = np.full(count, -np.inf)
    score[:2] = log_probabilities[0, states[:2]]
    skips = np.array(
        [i > 1 and states[i] != blank and states[i] != states[i - 2] for i in range(count)]
    )
    came = np.zeros((outputs, count), np.int64)
    for t in range(1, outputs):
        options = np.stack(
            [score, _shifted(score, 1), np.where(skips, _shifted(score, 2), -np.inf)]
        )
        came[t] = options.argmax(0)
        score = options.max(0) + log_probabilities[t, states]
    return _first_outputs(came, int(score[-2:].argmax()) + count - 2, len(tokens))


def _shifted(score: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    return np.concatenate([np.full(by, -np.inf), score[:-by]])


def _first_outputs(came: NDArray[np.int64], state: int, tokens: int) -> list[int] | None:
    first = [-1] * tokens
    for t in range(len(came) - 1, -1, -1):
        if state % 2:
            first[state // 2] = t
        state -= int(came[t, state])
    return None if min(first, default=0) < 0 else first


def quietest(energy: F32, start: int, end: int) -> int:
    """The quietest 10 ms between two places (in 10 ms); their middle where they touch."""
    return start + int(np.argmin(energy[start:end])) if end > start else (start + end) // 2
