"""Puts a speaker's words together anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from heliovox.local.phrases import DIGITS
from training.stt import augment
from training.stt.shards import Speech

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.stt.augment import F32, Rng


QUIET: Final = 0.015
"""Of the peak: what is quieter at the ends of a cut word is dropped."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A word of a recording."""

    word: str
    samples: NDArray[np.float32]


def sequences(cuts: Sequence[Cut], source: str, rng: Rng, count: int) -> Iterator[Speech]:
    """`count` utterances of one to eight of a speaker's words, half of them a single word.

    A single word is a digit two times in three: who says one word to a telephone mostly says that.
    """
    digits = [cut for cut in cuts if cut.word in DIGITS]
    for _ in range(count):
        length = 1 if rng.random() < 0.5 else int(rng.integers(2, 9))
        among = digits if length == 1 and digits and rng.random() < 0.67 else cuts
        chosen = [among[i] for i in rng.integers(len(among), size=length)]
        parts = []
        for cut in chosen:
            gap = np.zeros(augment.seconds(rng.choice([0.01, rng.uniform(0.01, 0.3)])), np.float32)
            parts += [faded(augment.tight(cut.samples, QUIET)), gap]
        yield Speech(" ".join(cut.word for cut in chosen), source, np.concatenate(parts[:-1]))


def faded(samples: F32) -> F32:
    """Without clicks at its ends: 5 ms ramps."""
    ramp = min(80, len(samples) // 2)
    shape = np.ones(len(samples), np.float32)
    shape[:ramp] = np.linspace(0, 1, ramp)
    shape[len(shape) - ramp :] = np.linspace(1, 0, ramp)
    return samples * shape
