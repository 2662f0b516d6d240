"""Measures a model: `python -m training.stt.evaluate --help`.

Every row is streaming, and on speech that training never met: greedy through sherpa-onnx, or with
a decoding graph (single digits: with `digits`). The intervals are 95 %, by a bootstrap over
speakers.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import resample_poly

from training.stt import augment, evalsets, places
from training.stt.recognise import engine, recogniser, transcripts, transcripts_with
from training.stt.scoring import Scored, rate, word_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.stt.augment import F32
    from training.stt.shards import Speech

    Hear = Callable[[Sequence[F32]], list[str]]

MODELS: Final = ("model.onnx", "model.int8.onnx")


@dataclass(frozen=True, slots=True)
class Condition:
    """How a set is heard."""

    label: str
    source: str
    telephone: bool = False
    """By way of 8 kHz mu-law, and back to 16 kHz."""
    lead_s: float | None = evalsets.LEAD_S
    """Silence before the first word; None draws 0 to 0.1 s for each utterance."""


CONDITIONS: Final = (
    Condition("our voices, 16 kHz", "own-telephone"),
    Condition("our voices, 8 kHz mu-law", "own-telephone", telephone=True),
    Condition("our voices, cut in at 0 to 0.1 s", "own-telephone", lead_s=None),
    Condition("our voices, call centre", "own-callcentre"),
    Condition("their teachers", "teachers-telephone"),
    Condition("their teachers, call centre", "teachers-callcentre"),
    Condition("AN4 test speakers", "an4"),
    Condition("AN4 test speakers, 8 kHz mu-law", "an4", telephone=True),
    Condition("unseen voices, telephone", "unseen-telephone"),
    Condition("unseen voices, telephone, 10 to 20 dB noise", "unseen-telephone-noise"),
    Condition("unseen voices, call centre", "unseen-callcentre"),
)


def heard_as(samples: F32, condition: Condition, rng: random.Random) -> F32:
    """The samples a caller would send under this condition."""
    lead_s = rng.uniform(0, 0.1) if condition.lead_s is None else condition.lead_s
    x = evalsets.surrounded(samples, lead_s)
    if not condition.telephone:
        return x
    narrow = augment.mulaw(np.clip(resample_poly(x, 1, 2), -1, 1).astype(np.float32))
    return resample_poly(narrow, 2, 1).astype(np.float32)


def hearer(folder: Path, model: str, graph: str | None) -> Hear:
    """What turns the samples of many utterances into their words; None is greedy."""
    if graph is None:
        return partial(transcripts, recogniser(folder, model))
    return partial(transcripts_with, engine(folder, model), graph)


class Evaluation:
    """One model file against all sets; rows are printed as they come.

    Args:
        model: the file's name; rows are told apart by it.
        sets: speech by the name of its set.
        show: so many mistakes of each set are printed.
        hears: how words are heard.
        hears_digits: how single digits are heard.
    """

    def __init__(
        self,
        model: str,
        sets: dict[str, list[Speech]],
        show: int,
        hears: Hear,
        hears_digits: Hear,
    ) -> None:
        self.sets, self.model, self.show = sets, model, show
        self.hears, self.hears_digits = hears, hears_digits
        self.rows: list[dict[str, object]] = []

    def hear(self, condition: Condition, hears: Hear | None = None) -> list[tuple[Speech, str]]:
        """Each utterance of the condition's set, with what was heard."""
        rng = random.Random(condition.label)
        speech = self.sets[condition.source]
        samples = [heard_as(one.samples, condition, rng) for one in speech]
        heard = (hears or self.hears)(samples)
        return list(zip(speech, heard, strict=True))

    def row(self, label: str, **values: object) -> None:
        """Prints and keeps a result."""
        self.rows.append({"model": self.model, "set": label, **values})
        facts = ", ".join(f"{name} {value}" for name, value in values.items())
        print(f"{self.model} | {label} | {facts}", flush=True)

    def words(self, condition: Condition) -> None:
        """A word error rate."""
        if condition.source not in self.sets:
            self.row(condition.label, wer="not measured: run training.stt.own_voices first")
            return
        pairs = self.hear(condition)
        scores = [
            Scored(one.source, word_errors(heard, one.text), len(one.text.split()))
            for one, heard in pairs
        ]
        found = rate(scores, random.Random(1))
        right = sum(score.errors == 0 for score in scores)
        self.row(condition.label, wer=str(found), sentences_right=f"{right} of {len(pairs)}")
        wrong = [(one.text, heard) for one, heard in pairs if heard != one.text]
        for said, heard in wrong[: self.show]:
            print(f"    {said} | {heard}")

    def digits(self) -> None:
        """How many of FSDD's isolated digits are right, "oh" counting as zero."""
        condition = Condition("FSDD digits", "fsdd")
        pairs = self.hear(condition, self.hears_digits)
        wrong = [Scored(s.source, int(h.replace("oh", "zero") != s.text), 1) for s, h in pairs]
        found = rate(wrong, random.Random(1))
        value = f"{100 - found.percent:.1f} % [{100 - found.high:.1f}, {100 - found.low:.1f}]"
        self.row(condition.label, right=value)

    def nobody(self) -> None:
        """Words invented a minute where nobody speaks."""
        counts: dict[str, list[int]] = {}
        for one, heard in self.hear(Condition("nobody", "nobody", lead_s=0.0)):
            counts.setdefault(one.source, []).append(len(heard.split()))
        for kind, words in counts.items():
            minutes = len(words) * 20 / 60
            self.row(f"nobody: {kind}", invented_a_minute=f"{sum(words) / minutes:.2f}")


def main() -> None:
    """Measures fp32 and int8 on every set."""
    parser = places.parser(__doc__)
    parser.add_argument("--model", type=Path, default=places.MODEL, help="folder of the model")
    parser.add_argument("--only", help="one file, for instance model.int8.onnx")
    parser.add_argument("--show", type=int, default=0, help="so many mistakes of each set")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    parser.add_argument("--graph", help="a decoding graph of the model (default: greedy)")
    asked = parser.parse_args()
    sets = evalsets.every_set(asked.work, asked.assets)
    rows = []
    for model in [asked.only] if asked.only else MODELS:
        hears = hearer(asked.model, model, asked.graph)
        digits = hearer(asked.model, model, "digits") if asked.graph else hears
        name = f"{model} with {asked.graph}" if asked.graph else model
        evaluation = Evaluation(name, sets, asked.show, hears, digits)
        for condition in CONDITIONS:
            evaluation.words(condition)
        evaluation.digits()
        evaluation.nobody()
        rows += evaluation.rows
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
