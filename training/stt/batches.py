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
Group = Literal["human", "cuts", "product", "alone", "other", "nobody"]

SHARES: Final[Mapping[Group, float]] = {
    "human": 0.24,
    "cuts": 0.12,
    "product": 0.24,
    "alone": 0.07,
    "other": 0.28,
    "nobody": 0.05,
}
"""Of the seconds the network sees. A group that is missing leaves its share to the rest."""

ALONE: Final = 2
"""Up to so many words are said alone: the hardest to hear, and soon outweighed by sentences."""

EARLY_FRAMES: Final = 420
"""While alignments are guessed (the flat start) only utterances this short are used."""

MASKED: Final = -9.0


@dataclass(frozen=True, slots=True)
class Item:
    """An example ready for the network."""

    example: Example
    tokens: tuple[int, ...]
    outputs: int


def group_of(example: Example) -> Group:
    """The sampling group of an utterance, by who says it and how much."""
    source, words = example.source, len(example.text.split())
    if not words:
        return "nobody"
    if source.startswith("cuts"):
        return "cuts"
    if source.startswith("an4"):
        return "human"
    if source in PRODUCT_VOICES or source.startswith("own"):
        return "product"
    return "alone" if words <= ALONE else "other"


def usable(item: Item) -> bool:
    """CTC needs an output for each token and one between equal ones; be generous."""
    return item.outputs > len(item.tokens) * 1.1 + 2


def draw_epoch(items: Sequence[Item], rng: Rng, seconds: float, *, early: bool) -> list[Item]:
    """About `seconds` of speech, shared out by `SHARES`."""
    groups: dict[Group, list[Item]] = {}
    for item in items:
        if not early or (len(item.example.frames) < EARLY_FRAMES and item.tokens):
            groups.setdefault(group_of(item.example), []).append(item)
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


@dataclass(frozen=True, slots=True)
class Masks:
    """The widest stretches that are struck out: bands, and frames."""

    bands: int
    frames: int


WIDE: Final = Masks(14, 18)
"""For what is met often: a few people's every sentence would be learnt by heart."""
NARROW: Final = Masks(7, 9)
"""For what is met seldom."""


def masked(frames: F32, rng: Rng, masks: Masks = WIDE) -> F32:
    """Two bands and up to three short times struck out, so that no single cue is relied on."""
    for _ in range(2):
        width = int(rng.integers(0, masks.bands + 1))
        low = int(rng.integers(0, BINS - width))
        frames[:, low : low + width] = MASKED
    for _ in range(1 + len(frames) // 150):
        width = int(rng.integers(0, 1 + min(masks.frames, len(frames) // 8)))
        start = int(rng.integers(0, len(frames) - width))
        frames[start : start + width] = MASKED
    return frames


def mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scale of the features' bands: straight up to 1 kHz, logarithmic above."""
    high = 15 + np.log(np.maximum(frequency_hz, 1000) / 1000) * 27 / np.log(6.4)
    return np.where(frequency_hz < 1000, frequency_hz * 3 / 200, high)


def _band_centers_hz() -> NDArray[np.float64]:
    table_hz = np.arange(0.0, 8001.0)
    highest = float(mel(np.array([8000.0]))[0])
    return np.interp(np.arange(1, BINS + 1) * highest / (BINS + 1), mel(table_hz), table_hz)


CENTERS_HZ: Final = _band_centers_hz()


def warp_matrix(factor: float) -> F32:
    """What makes features (frames, 80) those of a vocal tract `factor` times as short."""
    highest = float(mel(np.array([8000.0]))[0])
    at = np.clip(mel(CENTERS_HZ / factor) * (BINS + 1) / highest - 1, 0, BINS - 1)
    low = np.minimum(at.astype(int), BINS - 2)
    matrix = np.zeros((BINS, BINS), np.float32)
    matrix[low, np.arange(BINS)] = 1 - (at - low)
    matrix[low + 1, np.arange(BINS)] = at - low
    return matrix


def at_speed(frames: F32, factor: float) -> F32:
    """Said so many times as fast, at the same pitch."""
    at = np.minimum(np.arange(round(len(frames) / factor)) * factor, len(frames) - 1)
    low = np.minimum(at.astype(int), len(frames) - 2)
    part = (at - low).astype(np.float32)[:, None]
    return frames[low] * (1 - part) + frames[low + 1] * part


def network_input(item: Item, rng: Rng, *, mask: bool) -> F32:
    """A copy of the item's features at another gain.

    If asked, half of them of another speaker, half at another speed, and struck out in places.
    """
    frames = item.example.frames.astype(np.float32) + np.float32(rng.uniform(-1, 1))
    if not mask:
        return frames
    if rng.random() < 0.5:
        frames = frames @ warp_matrix(rng.uniform(0.88, 1.14))
    if rng.random() < 0.5:
        frames = at_speed(frames, rng.uniform(0.85, 1.18))
    human = group_of(item.example) in ("human", "cuts")
    return masked(frames, rng, WIDE if human else NARROW)


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
