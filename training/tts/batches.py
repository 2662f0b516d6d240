"""Examples to padded tensors."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edge_node.tts.phones import IDS
from training.tts.analyse import Example
from training.tts.network import VOICING

_POOL = 16  # batches sorted by length together, so that little of a batch is padding


class Batch(NamedTuple):
    """b examples, n phones, t frames at most; padding is zero and masked."""

    phones: Tensor  # (b, n)
    log_frames: Tensor  # (b, n)
    phone_mask: Tensor  # (b, 1, n)
    phone_at: Tensor  # (b, t)
    through: Tensor  # (b, t)
    frames_in_phone: Tensor  # (b, t)
    target: Tensor  # (b, t, 69)
    voiced: Tensor  # (b, t)
    frame_mask: Tensor  # (b, 1, t)


def known(example: Example) -> bool:
    """Whether every phone of it is one of ours."""
    return all(phone in IDS for phone in example.phones)


def clauses(example: Example) -> list[Example]:
    """The example cut in the middle of its inner pauses: as clauses are spoken one by one."""
    ends = np.cumsum(example.durations)
    pieces, first, start = [], 0, 0
    for index, phone in enumerate(example.phones):
        if phone != "," or example.durations[index] < 4:
            continue
        middle = int(ends[index] - example.durations[index] // 2)
        pieces.append(_piece(example, first, index, start, middle))
        first, start = index, middle
    pieces.append(_piece(example, first, len(example.phones) - 1, start, int(ends[-1])))
    return pieces


def _piece(example: Example, first: int, last: int, start: int, end: int) -> Example:
    phones = ("^", *example.phones[first + 1 : last + 1])
    bounds = np.cumsum(example.durations)[first:last]
    durations = np.diff(np.concatenate([[start], bounds, [end]]))
    return Example(phones, durations, example.frames[start:end], example.voiced[start:end])


def collate(examples: Sequence[Example]) -> Batch:
    """Stacks examples, padded to the longest."""
    b = len(examples)
    n = max(len(e.phones) for e in examples)
    t = max(len(e.frames) for e in examples)
    batch = Batch(
        torch.zeros(b, n, dtype=torch.long),
        torch.zeros(b, n),
        torch.zeros(b, 1, n),
        torch.zeros(b, t, dtype=torch.long),
        torch.zeros(b, t),
        torch.ones(b, t),
        torch.zeros(b, t, VOICING),
        torch.zeros(b, t),
        torch.zeros(b, 1, t),
    )
    for row, example in enumerate(examples):
        _fill(batch, row, example)
    return batch


def _fill(batch: Batch, row: int, example: Example) -> None:
    durations, n, t = example.durations, len(example.phones), len(example.frames)
    starts = np.repeat(np.cumsum(durations) - durations, durations)
    inside = np.repeat(durations, durations)
    batch.phones[row, :n] = torch.tensor([IDS[phone] for phone in example.phones])
    batch.log_frames[row, :n] = torch.log1p(torch.tensor(durations).float())
    batch.phone_mask[row, :, :n] = 1
    batch.phone_at[row, :t] = torch.tensor(np.repeat(np.arange(n), durations))
    batch.through[row, :t] = torch.tensor((np.arange(t) - starts + 0.5) / inside).float()
    batch.frames_in_phone[row, :t] = torch.tensor(inside).float()
    batch.target[row, :t] = torch.tensor(example.frames)
    batch.voiced[row, :t] = torch.tensor(example.voiced)
    batch.frame_mask[row, :, :t] = 1


def epoch(examples: Sequence[Example], size: int, rng: random.Random) -> Iterator[Batch]:
    """One pass in a random order; of an example with pauses, half the time its clauses."""
    pieces = [piece for e in examples for piece in ([e] if rng.random() < 0.5 else clauses(e))]
    rng.shuffle(pieces)
    groups = []
    for start in range(0, len(pieces), size * _POOL):
        pool = sorted(pieces[start : start + size * _POOL], key=lambda e: len(e.frames))
        groups += [pool[i : i + size] for i in range(0, len(pool), size)]
    rng.shuffle(groups)
    yield from (collate(group) for group in groups)
