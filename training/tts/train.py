"""Trains one voice from its analysed data and exports it. Seeded; resumes where it was stopped."""

import argparse
import logging
import math
import pickle
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edge_node.tts.phones import SYMBOLS
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


@torch.no_grad()
def _report(net: Acoustic, development: Batch) -> str:
    net.eval()
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


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="from make_data")
    parser.add_argument("--name", required=True, help="such as voice-en-female")
    parser.add_argument("--into", type=Path, required=True, help="folder for model.onnx")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--encoder-blocks", type=int, default=3)
    parser.add_argument("--decoder-blocks", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(asked.threads)
    examples = [e for path in asked.data for e in pickle.loads(path.read_bytes())]
    shape = Shape(len(SYMBOLS), asked.width, asked.encoder_blocks, asked.decoder_blocks)
    trainer = Trainer(examples, shape, asked.steps, asked.seed)
    if asked.checkpoint.exists():
        trainer.load(asked.checkpoint)
    trainer.run(asked.checkpoint)
    export(trainer.net, asked.name, asked.into)


if __name__ == "__main__":
    main()
