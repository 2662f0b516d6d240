"""Chooses and prepares what the network sees: pure but for the generator passed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from training.stt.features import BINS, FRAMES_PER_S, PADDING, SUBSAMPLING
from training.stt.voices import PRODUCT_VOICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from training.stt.shards import Example

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Rng = np.random.Generator
Group = Literal["human", "cuts", "product", "other"]

SHARES: Final[Mapping[Group, float]] = {"human": 0.36, "cuts": 0.05, "product": 0.3, "other": 0.29}
"""Of the seconds the network sees. A group that is missing leaves its share to the rest."""

EARLY_FRAMES: Final = 420
"""While alignments are guessed (the flat start) only utterances this short are used."""

MASKED: Final = -9.0


@dataclass(frozen=True, slots=True)
class Item:
    """An example ready for the network."""

    example: Example
    tokens: tuple[int, ...]
    outputs: int


def group_of(source: str) -> Group:
    """The sampling group of a voice or speaker."""
    if source.startswith("cuts"):
        return "cuts"
    if source.startswith("an4"):
        return "human"
    return "product" if source in PRODUCT_VOICES or source.startswith("own") else "other"


def usable(item: Item) -> bool:
    """CTC needs an output for each token and one between equal ones; be generous."""
    return item.outputs > len(item.tokens) * 1.1 + 2


def draw_epoch(items: Sequence[Item], rng: Rng, seconds: float, *, early: bool) -> list[Item]:
    """About `seconds` of speech, shared out by `SHARES`."""
    groups: dict[Group, list[Item]] = {}
    for item in items:
        if not early or (len(item.example.frames) < EARLY_FRAMES and item.tokens):
            groups.setdefault(group_of(item.example.source), []).append(item)
    total = sum(SHARES[group] for group in groups)
    chosen = []
    for group, members in groups.items():
        budget = seconds * FRAMES_PER_S * SHARES[group] / total
        for i in rng.permutation(len(members)):
            if budget <= 0:
                break
            chosen.append(members[i])
            budget -= len(members[i].example.frames)
    return chosen


def into_batches(items: Sequence[Item], rng: Rng, batch_s: float) -> list[list[Item]]:
    """Batches of like length, in random order, each of at most `batch_s` with its padding."""
    keys = [len(item.example.frames) + 40 * rng.random() for item in items]
    batches: list[list[Item]] = []
    batch: list[Item] = []
    longest = 0
    for i in np.argsort(keys):
        longest = max(longest, len(items[i].example.frames))
        if batch and (len(batch) + 1) * longest > batch_s * FRAMES_PER_S:
            batches.append(batch)
            batch, longest = [], len(items[i].example.frames)
        batch.append(items[i])
    batches.append(batch)
    return [batches[i] for i in rng.permutation(len(batches))]


def padded(frames: Sequence[F32]) -> F32:
    """One array (batch, longest, 80), silence after the shorter ones."""
    longest = max(len(f) for f in frames)
    x = np.full((len(frames), longest, BINS), PADDING, np.float32)
    for row, f in zip(x, frames, strict=True):
        row[: len(f)] = f
    return x


def masked(frames: F32, rng: Rng) -> F32:
    """Two bands and up to three short times struck out, so that no single cue is relied on."""
    for _ in range(2):
        width = int(rng.integers(0, 15))
        low = int(rng.integers(0, BINS - width))
        frames[:, low : low + width] = MASKED
    for _ in range(1 + len(frames) // 150):
        width = int(rng.integers(0, 1 + min(18, len(frames) // 8)))
        start = int(rng.integers(0, len(frames) - width))
        frames[start : start + width] = MASKED
    return frames


def network_input(item: Item, rng: Rng, *, mask: bool) -> F32:
    """A copy of the item's features at another gain, struck out in places if asked."""
    frames = item.example.frames.astype(np.float32) + np.float32(rng.uniform(-1, 1))
    return masked(frames, rng) if mask else frames


def flat_targets(frames: F32, lengths: Sequence[float], tokens: Sequence[int], blank: int) -> I64:
    """A guess at which token each output is: spread over what is loud, by written length.

    Args:
        frames: features, shape (frames, 80).
        lengths: how long each token is written.
        tokens: the utterance's tokens.
        blank: the number of CTC's blank.
    """
    energy = np.convolve(np.pad(frames.mean(1), 4, "edge"), np.ones(9) / 9, "valid")
    low, high = np.percentile(energy, (5, 95))
    loud = np.nonzero(energy > low + 0.4 * (high - low))[0]
    start, end = (loud[0], loud[-1]) if len(loud) > 10 else (0, len(frames) - 1)
    edges = np.concatenate([[0], np.cumsum(lengths)]) / sum(lengths) * (end - start) + start
    centers = np.arange(0, len(frames), SUBSAMPLING) + 11.5
    targets = np.full(len(centers), blank, np.int64)
    for token, left, right in zip(tokens, edges, edges[1:], strict=False):
        targets[(centers >= left) & (centers < right)] = token
    return targets
