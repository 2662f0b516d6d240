"""Trains the recogniser: `python -m training.stt.train --help`. Resumes after interruption."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.stt import batches, places, shards
from training.stt.batches import Item
from training.stt.model import Recogniser, Shape
from training.stt.scoring import word_errors
from training.stt.tokens import Pieces, train_pieces

FLAT_STEPS: Final = 260
"""Steps with guessed alignments: from nothing, CTC stays on its plateau for long."""

MASK_FROM: Final = FLAT_STEPS + 300
WARM_UP_STEPS: Final = 150
EPOCH_S: Final = 3600.0
AVERAGE_OVER: Final = 0.998
SAVE_EVERY_S: Final = 180.0
CHECK_EVERY_S: Final = 720.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. The end is where the steps or the minutes run out, whichever is first."""

    steps: int = 20_000
    minutes: float = math.inf
    until: int = sys.maxsize
    """Stop at this step, as if interrupted."""
    batch_s: float = 80.0
    rate: float = 2e-3
    hold: float = 0.3
    """Share of the training at the full rate, before the cosine down to nothing."""
    weight_decay: float = 2e-2
    seed: int = 1
    threads: int = 1
    go_on: bool = False
    """Leave the first two layers and what the normalisations know of the data as they are: for a
    network that is trained. Batches of like length are no fair sample, and a normalisation by them
    differs so much from the one that ships that the loss trebles."""


@dataclass(slots=True)
class Progress:
    """What a checkpoint remembers besides weights."""

    step: int = 0
    began: int = 0
    """The step at which the optimiser began: not 0 where training goes on from an export."""
    worked_s: float = 0.0
    heard_h: float = 0.0
    loss: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)

    def share(self, plan: Plan) -> float:
        """How much of the plan is done, 0 to 1."""
        return min(1.0, max(self.step / plan.steps, self.worked_s / 60 / plan.minutes))


def rate_at(progress: Progress, plan: Plan) -> float:
    """Warm up, hold, then a cosine to 0.4 % of the full rate."""
    warm = min(1.0, (progress.step - progress.began + 1) / WARM_UP_STEPS)
    done = max(0.0, (progress.share(plan) - plan.hold) / (1 - plan.hold))
    return plan.rate * warm * max(0.004, 0.5 * (1 + math.cos(math.pi * done)))


class Trainer:
    """Owns network, optimiser and data; `run` is the whole training."""

    def __init__(self, work: Path, plan: Plan, shape: Shape) -> None:
        self.work, self.plan = work, plan
        torch.manual_seed(plan.seed)
        torch.set_num_threads(plan.threads)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = Recogniser(shape).to(self.device)
        self.bfloat16 = self.device.type == "cuda" or (
            torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001 there is no public question
        )
        self.average = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_OVER), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), plan.rate, (0.9, 0.98), weight_decay=plan.weight_decay
        )
        self.progress = Progress()
        self.known: set[Path] = set()
        self.items: list[Item] = []
        self.log_file = (work / "train.log").open("a")

    def log(self, text: str) -> None:
        """To the console and the log."""
        print(text, flush=True)
        self.log_file.write(f"{text}\n")
        self.log_file.flush()

    def find_data(self) -> None:
        """Takes up shards that are there now: data may still be made while training runs."""
        found = set((self.work / "features").glob("*.json")) - self.known
        for path in sorted(found):
            self.items += self.load(path)
        self.known |= found
        if found:
            hours = sum(len(item.example.frames) for item in self.items) / 360_000
            self.log(f"{len(self.known)} shards, {len(self.items)} utterances, {hours:.1f} h")

    def load(self, path: Path) -> list[Item]:
        """The usable utterances of a shard."""
        items = (self.item(example) for example in shards.read_features(path))
        return [item for item in items if batches.usable(item)]

    def item(self, example: shards.Example) -> Item:
        """An example with its tokens."""
        tokens = tuple(self.pieces.encode(example.text))
        return Item(example, tokens, self.network.outputs(len(example.frames)))

    def prepare_pieces(self) -> None:
        """Reads the word pieces, learning them first from all texts at hand."""
        model = self.work / "bpe.model"
        if not model.exists():
            texts = [
                e.text
                for p in sorted((self.work / "features").glob("*copy0.json"))
                for e in shards.read_features(p)
            ]
            train_pieces(texts, self.network.shape.tokens, self.work)
        self.pieces = Pieces(model)
        names = self.pieces.names()
        self.written = [0.3 + max(1, len(name.replace("\u2581", ""))) for name in names]

    def loss_of(self, batch: list[Item], rng: np.random.Generator) -> torch.Tensor:
        """The loss a token: cross-entropy to the guess at first, CTC from then on."""
        step = self.progress.step
        frames = [batches.network_input(item, rng, mask=step >= MASK_FROM) for item in batch]
        x = torch.from_numpy(batches.padded(frames)).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            log_probabilities = self.network(x)
        if step < FLAT_STEPS:
            return self.flat_loss(log_probabilities, frames, batch)
        tokens = torch.tensor([token for item in batch for token in item.tokens])
        lengths = torch.tensor([len(item.tokens) for item in batch])
        outputs = torch.tensor([self.network.outputs(len(one)) for one in frames])
        loss = functional.ctc_loss(
            log_probabilities.transpose(0, 1),
            tokens,
            outputs,
            lengths,
            blank=self.pieces.blank,
            reduction="sum",
            zero_infinity=True,
        )
        return loss / lengths.sum().clamp_min(1)  # a batch may hold nothing but noise

    def flat_loss(
        self, log_probabilities: torch.Tensor, frames: list[batches.F32], batch: list[Item]
    ) -> torch.Tensor:
        """Cross-entropy against alignments guessed from loudness."""
        ignored = -100
        targets = np.full(log_probabilities.shape[:2], ignored)
        for row, f, item in zip(targets, frames, batch, strict=True):
            lengths = [self.written[token] for token in item.tokens]
            guess = batches.flat_targets(f, lengths, item.tokens, self.pieces.blank)
            row[: item.outputs] = guess[: item.outputs]
        flat = torch.from_numpy(targets).reshape(-1).to(self.device)
        return functional.nll_loss(log_probabilities.flatten(0, 1), flat, ignore_index=ignored)

    def step(self, batch: list[Item], rng: np.random.Generator) -> None:
        """One update."""
        rate = rate_at(self.progress, self.plan)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = self.loss_of(batch, rng)
        if not torch.isfinite(loss):  # one such step, and nothing is left to go on from
            raise FloatingPointError(f"loss {loss.item()} at step {self.progress.step}")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        progress = self.progress
        first = progress.step == progress.began
        progress.loss = loss.item() if first else 0.98 * progress.loss + 0.02 * loss.item()
        progress.step += 1
        progress.heard_h += sum(len(item.example.frames) for item in batch) / 360_000
        if progress.step % 100 == 0 or progress.step in (5, 20, FLAT_STEPS + 1):
            self.log(
                f"step {progress.step} {progress.worked_s / 60:.1f} min loss {progress.loss:.3f} "
                f"rate {rate:.5f} heard {progress.heard_h:.1f} h"
            )

    def check(self) -> None:
        """Word error rates on the development shards, of the averaged weights."""
        rates: dict[str, float] = {}
        network = self.average.module.eval()
        for path in sorted((self.work / "dev").glob("*.json")):
            errors = words = 0
            items = sorted(map(self.item, shards.read_features(path)), key=lambda i: i.outputs)
            for start in range(0, len(items), 16):
                part = items[start : start + 16]
                x = batches.padded([item.example.frames.astype(np.float32) for item in part])
                with (
                    torch.no_grad(),
                    torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16),
                ):
                    best = network(torch.from_numpy(x).to(self.device)).argmax(-1).cpu()
                for row, item in zip(best, part, strict=True):
                    heard = self.pieces.greedy(row[: item.outputs].tolist())
                    errors += word_errors(heard, item.example.text)
                    words += len(item.example.text.split())
            rates[path.stem] = round(100 * errors / max(words, 1), 1)
        self.progress.curve.append({"step": self.progress.step, **rates})
        self.log(f"== step {self.progress.step} {self.progress.worked_s / 60:.1f} min {rates}")

    def save(self) -> None:
        """Everything needed to go on, renamed into place; the one before stays beside it.

        Raises FloatingPointError, with both left as they are, where a weight is no number.
        """
        if not all(bool(torch.isfinite(weight).all()) for weight in self.network.parameters()):
            raise FloatingPointError("a weight is no number: the last checkpoint is left alone")
        state = {
            "shape": asdict(self.network.shape),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": asdict(self.progress),
        }
        part = self.work / "checkpoint.part"
        torch.save(state, part)
        path = self.work / "checkpoint.pt"
        if path.exists():
            path.replace(self.work / "checkpoint.before.pt")
        part.rename(path)
        (self.work / "curve.json").write_text(json.dumps(self.progress.curve, indent=1))

    def resume(self) -> None:
        """Takes up a checkpoint where there is one."""
        path = self.work / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        if "progress" not in state:
            self.average.module.load_state_dict(state["network"])
            self.progress = Progress(step=MASK_FROM, began=MASK_FROM)
            self.log("goes on from an exported network")
            return
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])
        self.log(f"resumed at step {self.progress.step}")

    def prepare_network(self) -> None:
        """In training, but for what is to stay as it is."""
        self.network.train()
        if not self.plan.go_on:
            return
        front = self.network.front
        for layer in (front.conv1, front.norm1, front.conv2, front.norm2):
            layer.requires_grad_(requires_grad=False)
        for layer in self.network.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.eval()

    def finished(self) -> bool:
        """Whether the plan, or the part of it asked for, is done."""
        return self.progress.share(self.plan) >= 1 or self.progress.step >= self.plan.until

    def run(self) -> None:
        """Trains to the end of the plan, saving and checking on the way."""
        self.prepare_pieces()
        self.resume()
        self.find_data()
        count = sum(p.numel() for p in self.network.parameters())
        self.log(f"{count} parameters, {len(self.pieces)} tokens, on {self.device}, {self.plan}")
        clock_s = time.monotonic()
        next_save_s = self.progress.worked_s + SAVE_EVERY_S
        next_check_s = self.progress.worked_s + CHECK_EVERY_S
        while not self.finished():
            self.prepare_network()
            rng = np.random.default_rng([self.plan.seed, self.progress.step])
            early = self.progress.step < FLAT_STEPS
            chosen = batches.draw_epoch(self.items, rng, EPOCH_S, early=early)
            for batch in batches.into_batches(chosen, rng, self.plan.batch_s):
                self.step(batch, rng)
                self.progress.worked_s += time.monotonic() - clock_s
                clock_s = time.monotonic()
                if self.finished():
                    break
            if self.progress.worked_s >= next_save_s:
                next_save_s = self.progress.worked_s + SAVE_EVERY_S
                self.save()
            if self.progress.worked_s >= next_check_s:
                next_check_s = self.progress.worked_s + CHECK_EVERY_S
                self.check()
            self.find_data()
        self.check()
        self.save()


def main() -> None:
    """Trains with the plan given on the command line."""
    parser = places.parser(__doc__, assets=False)
    parser.add_argument("--steps", type=int, default=Plan().steps)
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="end after so many, if sooner"
    )
    parser.add_argument("--until", type=int, default=sys.maxsize, help="stop at this step for now")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=Plan().rate)
    parser.add_argument("--batch-s", type=float, default=Plan().batch_s)
    parser.add_argument("--go-on", action="store_true", help="from an exported network")
    asked = parser.parse_args()
    plan = Plan(
        asked.steps,
        asked.minutes,
        asked.until,
        batch_s=asked.batch_s,
        rate=asked.rate,
        seed=asked.seed,
        threads=asked.threads,
        go_on=asked.go_on,
    )
    Trainer(asked.work, plan, Shape()).run()


if __name__ == "__main__":
    main()
