"""Trains one voice from its analysed data and exports it. Seeded; resumes where it was stopped."""

import logging
import math
import pickle
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.tts.analyse import BANDS, Example
from training.tts.batches import Batch, collate, epoch, known
from training.tts.export import export
from training.tts.network import LOG_F0, VOICING, Acoustic, Shape

_LOG = logging.getLogger(__name__)
_RATE: Final = 1.5e-3
_WARM_UP_STEPS: Final = 50
_KEPT_FOR_DEVELOPMENT: Final = 24
_SAVE_EVERY_STEPS: Final = 200
_BATCH: Final = 8
_DECIBELS_PER_NEPER: Final = 8.686


def losses(net: Acoustic, batch: Batch) -> dict[str, Tensor]:
    """Mean losses: L1 of envelope, aperiodicity and F0, cross entropy of voicing, durations."""
    hidden, log_frames = net.encode(batch.phones, batch.phone_mask)
    out = net.decode(hidden, batch.phone_at, batch.through, batch.frames_in_phone, batch.frame_mask)
    target = ((batch.target - net.mean) / net.deviation).transpose(1, 2)
    mask, frames = batch.frame_mask, batch.frame_mask.sum()
    voiced = batch.voiced.unsqueeze(1)
    miss = (out[:, :VOICING] - target).abs() * mask
    entropy = functional.binary_cross_entropy_with_logits(
        out[:, VOICING:], voiced, reduction="none"
    )
    apart = (log_frames - batch.log_frames) ** 2 * batch.phone_mask[:, 0]
    return {
        "envelope": miss[:, :BANDS].sum() / frames / BANDS,
        "aperiodicity": miss[:, BANDS:LOG_F0].sum() / frames / (LOG_F0 - BANDS),
        "log_f0": (miss[:, LOG_F0:] * voiced).sum() / (voiced * mask).sum(),
        "voicing": (entropy * mask).sum() / frames,
        "duration": apart.sum() / batch.phone_mask.sum(),
    }


_WEIGHTS: Final = {
    "envelope": 2.0,
    "aperiodicity": 0.3,
    "log_f0": 1.0,
    "voicing": 1.0,
    "duration": 1.0,
}


def _rate(step: int, steps: int) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return _RATE * min(1.0, (step + 1) / _WARM_UP_STEPS) * max(0.01, cosine)


def _report(net: Acoustic, development: Batch) -> str:
    net.eval()
    with torch.no_grad():
        found = losses(net, development)
    net.train()
    return " ".join(f"{name} {value.item():.3f}" for name, value in found.items())


class Trainer:
    """The network, its optimiser and how far it is."""

    def __init__(self, examples: list[Example], shape: Shape, steps: int, seed: int) -> None:
        torch.manual_seed(seed)
        self._rng = random.Random(seed)
        usable = [example for example in examples if known(example)]
        self._rng.shuffle(usable)
        self.development = collate(usable[:_KEPT_FOR_DEVELOPMENT])
        self._examples = usable[_KEPT_FOR_DEVELOPMENT:]
        self.net, self._steps, self.step = Acoustic(shape), steps, 0
        self._optimiser = torch.optim.AdamW(self.net.parameters(), lr=_RATE, weight_decay=1e-3)
        frames = np.concatenate([example.frames for example in self._examples])
        self.net.mean[:] = torch.tensor(frames.mean(0))
        self.net.deviation[:] = torch.tensor(frames.std(0) + 1e-3)
        count = sum(p.numel() for p in self.net.parameters())
        _LOG.info("%d parameters, %.1f minutes", count, len(frames) * 0.008 / 60)

    def _batches(self) -> Iterator[Batch]:
        while True:
            yield from epoch(self._examples, _BATCH, self._rng)

    def run(self, checkpoint: Path) -> None:
        """Trains to the last step; writes `checkpoint` now and then."""
        self.net.train()
        started_s = time.process_time()
        for batch in self._batches():
            if self.step >= self._steps:
                break
            self._one(batch)
            if self.step % _SAVE_EVERY_STEPS == 0:
                self.save(checkpoint)
                spent_min = (time.process_time() - started_s) / 60
                told = _report(self.net, self.development)
                _LOG.info("step %d cpu %.1f min: %s", self.step, spent_min, told)
        self.save(checkpoint)

    def _one(self, batch: Batch) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = _rate(self.step, self._steps)
        found = losses(self.net, batch)
        loss = sum((_WEIGHTS[k] * v for k, v in found.items()), torch.zeros(()))
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1

    def save(self, path: Path) -> None:
        """Atomically: an interruption leaves the last whole checkpoint."""
        part = path.with_suffix(".part")
        state = {
            "step": self.step,
            "net": self.net.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "rng": self._rng.getstate(),
            "torch": torch.get_rng_state(),
        }
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Goes on from `path`, which this program wrote."""
        state = torch.load(path, weights_only=False)
        self.step = state["step"]
        self.net.load_state_dict(state["net"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._rng.setstate(state["rng"])
        torch.set_rng_state(state["torch"])
        _LOG.info("resumed at step %d", self.step)


@dataclass(frozen=True, slots=True)
class Plan:
    """One voice to train."""

    name: str
    data: tuple[Path, ...]
    shape: Shape
    steps: int
    seed: int = 1


def train(plan: Plan, work: Path, into: Path) -> None:
    """Trains in `work`, going on where an earlier run was stopped; the voice goes to `into`."""
    examples = [e for path in plan.data for e in pickle.loads(path.read_bytes())]
    trainer = Trainer(examples, plan.shape, plan.steps, plan.seed)
    checkpoint = work / f"{plan.name}.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
    trainer.run(checkpoint)
    export(trainer.net, plan.name, into)
