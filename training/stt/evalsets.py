"""What the recogniser is measured on: text, voices, rooms and noises it never met in training."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from training.stt import augment, places, recordings, shards, text, voices
from training.stt.corpus import rng_for
from training.stt.engines import Espeak, read_all
from training.stt.features import SAMPLE_RATE, features
from training.stt.shards import Speech
from training.stt.splits import draw_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from training.stt.augment import F32
    from training.stt.text import Domain

SEED: Final = 20_261_121
PER_SET: Final = 160
LEAD_S: Final = 0.3
TAIL_S: Final = 0.66
"""Silence around an utterance: the tail covers the right context and the last chunk."""

NOISE_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Spec:
    """A synthetic set."""

    group: str
    domain: Domain
    noisy: bool = False


SYNTHETIC: Final[dict[str, Spec]] = {
    "teachers-telephone": Spec("product", "telephone"),
    "teachers-callcentre": Spec("product", "callcentre"),
    "unseen-telephone": Spec("others", "telephone"),
    "unseen-telephone-noise": Spec("others", "telephone", noisy=True),
    "unseen-callcentre": Spec("others", "callcentre"),
}


def synthetic(spec: Spec, espeak: Espeak, noises: list[F32]) -> Iterator[Speech]:
    """Texts kept for evaluation, read by the voices of the set."""
    rng = random.Random(f"{SEED} {spec}")
    mixer = rng_for(spec.domain, SEED)
    items = [
        (text.draw(rng, spec.domain, "eval"), _reading(rng, spec.group)) for _ in range(PER_SET)
    ]
    for i, samples in read_all(items, espeak):
        words, how = items[i]
        heard = _in_noise(samples, mixer, noises) if spec.noisy else samples
        yield Speech(words, how.voice.partition("+")[2] or how.voice, heard)


def _reading(rng: random.Random, group: str) -> voices.Reading:
    how = voices.draw(rng, group, "eval")
    return replace(how, tract=1.0) if group == "product" else how


def _in_noise(samples: F32, rng: augment.Rng, noises: list[F32]) -> F32:
    """In a room kept for evaluation, with one of its noises at 10 to 20 dB, silence included."""
    x = np.pad(samples, (augment.seconds(0.3), augment.seconds(0.3)))
    if rng.random() < 0.5:
        x = augment.echo(x, draw_room(rng, "eval"))
    around = augment.looped(noises[rng.integers(len(noises))], len(x), rng)
    x = x + around * (augment.rms(x) / augment.rms(around) * 10 ** (-rng.uniform(10, 20) / 20))
    return (0.5 * x / (float(np.max(np.abs(x))) + 1e-6)).astype(np.float32)


def nobody(assets: Path) -> Iterator[Speech]:
    """Ten minutes each of silence, hiss, noises kept for evaluation, and music, in 20 s pieces."""
    rng = rng_for("nobody", SEED)
    length, pieces = augment.seconds(20.0), round(NOISE_S / 20)
    noises = list(recordings.noises(assets, "eval").values())
    for _ in range(pieces):
        yield Speech("", "silence", rng.standard_normal(length).astype(np.float32) * 1e-4)
        hiss = rng.standard_normal(length).astype(np.float32) * 10 ** rng.uniform(-3, -1)
        yield Speech("", "hiss", hiss.astype(np.float32))
        around = augment.looped(noises[rng.integers(len(noises))], length, rng)
        loud = around * (10 ** rng.uniform(-2.5, -0.3) / float(np.max(np.abs(around))))
        yield Speech("", "noise", loud.astype(np.float32))
        yield Speech("", "music", music(length, rng))
        yield Speech("", "knocks", augment.bursts(length, rng))


def music(length: int, rng: augment.Rng) -> F32:
    """Chords of decaying harmonics in a steady beat."""
    y = np.zeros(length)
    beat = augment.seconds(rng.uniform(0.25, 0.6))
    t = np.arange(2 * beat) / SAMPLE_RATE
    for start in range(0, length - 2 * beat, beat):
        for note in rng.integers(0, 36, 3):
            pitch_hz = 110 * 2 ** (note / 12)
            tone = sum(np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 6))
            y[start : start + 2 * beat] += tone * np.exp(-4 * t)
    return (y * (10 ** rng.uniform(-2, -0.3) / np.max(np.abs(y)))).astype(np.float32)


def built(work: Path, name: str, make: Callable[[], Iterator[Speech]]) -> list[Speech]:
    """The set from the cache, made first where it is not there."""
    path = work / "eval" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.with_suffix(".json").exists():
        shards.write_speech(path, make())
    return shards.read_speech(path)


def every_set(work: Path, assets: Path) -> dict[str, list[Speech]]:
    """All sets by name, kept below `work`. The shipped voices' are made by `own_voices`."""
    espeak = Espeak()
    noises = list(recordings.noises(assets, "eval").values())
    sets = {
        "an4": built(work, "an4", lambda: recordings.an4(assets, "test")),
        "fsdd": built(work, "fsdd", lambda: recordings.fsdd(assets)),
        "nobody": built(work, "nobody", lambda: nobody(assets)),
    }
    for name, spec in SYNTHETIC.items():
        sets[name] = built(work, name, partial(synthetic, spec, espeak, noises))
    for path in sorted((work / "eval").glob("own-*.json")):
        sets[path.stem] = shards.read_speech(path)
    return sets


def surrounded(samples: F32, lead_s: float = LEAD_S) -> F32:
    """With silence before and after."""
    return np.pad(samples, (augment.seconds(lead_s), augment.seconds(TAIL_S)))


def main() -> None:
    """Writes features of part of each set for the trainer's curve."""
    parser = places.parser(main.__doc__)
    asked = parser.parse_args()
    (asked.work / "dev").mkdir(parents=True, exist_ok=True)
    every = {"fsdd": 16}
    for name, speech in every_set(asked.work, asked.assets).items():
        if name == "nobody":
            continue
        rows = (
            (one.text, one.source, features(surrounded(one.samples)))
            for one in speech[:: every.get(name, 2)]
        )
        shards.write_features(asked.work / "dev" / name, rows)


if __name__ == "__main__":
    main()
