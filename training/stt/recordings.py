"""Human speech and noise from the assets folder. What is for evaluation only is named here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from training.stt.augment import seconds
from training.stt.engines import read_audio
from training.stt.shards import Speech
from training.stt.splits import EVAL_NOISES, TRAIN_NOISES, Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from training.stt.augment import F32

KITCHEN_CUT_S: Final = 60.0


def manifest(assets: Path, folder: str) -> list[dict[str, str]]:
    """The rows of a folder's manifest."""
    lines = (assets / folder / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def an4(assets: Path, split: str) -> Iterator[Speech]:
    """AN4's utterances: "train" (74 speakers) or "test" (5 others)."""
    for row in manifest(assets, "an4"):
        if row["split"] == split:
            yield Speech(row["text"].lower(), f"an4 {row['spk']}", read_audio(assets / row["file"]))


def fsdd(assets: Path) -> Iterator[Speech]:
    """Single digits at 8 kHz, brought to 16: evaluation only, for the licence's sake."""
    for row in manifest(assets, "fsdd"):
        yield Speech(row["text"].lower(), f"fsdd {row['spk']}", read_audio(assets / row["file"]))


def noise(assets: Path, name: str) -> F32:
    """A noise recording; "kitchen:early" and "kitchen:late" are the two sides of 60 s."""
    stem, _, part = name.partition(":")
    samples = read_audio(assets / "noise" / f"{stem}.flac")
    cut = seconds(KITCHEN_CUT_S)
    return {"early": samples[:cut], "late": samples[cut:]}.get(part, samples)


def noises(assets: Path, split: Split) -> dict[str, F32]:
    """Every noise recording of a split, by name."""
    names = sorted(TRAIN_NOISES if split == "train" else EVAL_NOISES)
    return {name: noise(assets, name) for name in names}
