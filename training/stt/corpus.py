"""Makes the training speech and its features: `python -m training.stt.corpus --help`.

Speech is synthesised once (`speech/`), then copied several times as a node may receive it
(`features/`): copying costs a tenth of synthesis. What exists is left alone, so an interrupted
run continues where it was.
"""

from __future__ import annotations

import random
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from training.stt import augment, places, recordings, shards, text, voices
from training.stt.engines import Espeak, read_all
from training.stt.features import features
from training.stt.shards import Speech
from training.stt.tones import tonal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.stt.augment import F32, Rng
    from training.stt.text import Domain

PER_SHARD: Final = {
    "synthetic": {"product": 90, "others": 60, "espeak": 130},
    "vocabulary": {"product": 90, "others": 60, "espeak": 130},
    "isolated": {"product": 40, "others": 90, "espeak": 420},
    "lexicon": {"product": 24, "others": 36, "espeak": 240},
    "digit": {"product": 50, "others": 120, "espeak": 700},
}
"""Utterances of each group of voices in a shard of each kind, 9 to 17 minutes together."""

Mix = dict[str, dict["Domain", float]]

MIXES: Final[dict[str, Mix]] = {
    "synthetic": {
        "product": {"telephone": 0.66, "callcentre": 0.16, "spelling": 0.10, "isolated": 0.08},
        "others": {"telephone": 0.42, "callcentre": 0.20, "spelling": 0.22, "isolated": 0.16},
        "espeak": {"telephone": 0.36, "callcentre": 0.24, "spelling": 0.24, "isolated": 0.16},
    },
    "vocabulary": {
        "product": {"telephone": 0.20, "callcentre": 0.80},
        "others": {"telephone": 0.20, "callcentre": 0.80},
        "espeak": {"telephone": 0.20, "callcentre": 0.80},
    },
    "isolated": {
        "product": {"isolated": 1.0},
        "others": {"isolated": 1.0},
        "espeak": {"isolated": 1.0},
    },
    "lexicon": {
        "product": {"words": 0.3, "callcentre": 0.7},
        "others": {"words": 0.3, "callcentre": 0.7},
        "espeak": {"words": 0.3, "callcentre": 0.7},
    },
    "digit": {
        "product": {"digit": 0.7, "isolated": 0.3},
        "others": {"digit": 0.7, "isolated": 0.3},
        "espeak": {"digit": 0.7, "isolated": 0.3},
    },
}
"""Shares of each domain, by kind of shard and group of voices. The second kind is there because
1,000 words need more sentences than the first gives them, the third because a word alone is the
hardest to hear, the fourth because sentences bring most words seldom, the fifth because callers
who are asked for a digit say nothing else."""

NOISES_PER_COPY: Final = 12
JOINED: Final = 0.08
"""Share of utterances with a second one after a pause: not every pause ends an utterance."""

LONGEST_S: Final = 13.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is mixed into speech."""

    noises: Sequence[F32]
    babble: Sequence[F32]


def rng_for(name: str, *numbers: int) -> Rng:
    """A generator that depends on these values alone."""
    return np.random.default_rng([zlib.crc32(name.encode()), *numbers])


def synthesise(name: str, kind: str, seed: int, espeak: Espeak) -> Iterator[Speech]:
    """One shard of synthetic speech."""
    rng = random.Random(f"{seed} {name}")
    items: list[tuple[str, voices.Reading]] = []
    for group, count in PER_SHARD[kind].items():
        domains, weights = zip(*MIXES[kind][group].items(), strict=True)
        items += [
            (text.draw(rng, domain, "train"), voices.draw(rng, group, "train"))
            for domain in rng.choices(domains, weights, k=count)
        ]
    for i, samples in read_all(items, espeak):
        words, how = items[i]
        yield Speech(words, how.voice, samples)


def joined(first: Speech, second: Speech, rng: Rng) -> Speech:
    """Both, one after the other."""
    gap = np.zeros(augment.seconds(rng.uniform(0.1, 0.9)), np.float32)
    samples = np.concatenate([first.samples, gap, second.samples])
    return Speech(f"{first.text} {second.text}", first.source, samples)


def copies(
    speech: Sequence[Speech], rng: Rng, around: Surroundings, *, human: bool
) -> Iterator[tuple[str, str, F32]]:
    """Each utterance once as a node may receive it, and some noise alone."""
    for one in speech:
        utterance = one
        if rng.random() < JOINED:
            utterance = joined(one, speech[int(rng.integers(len(speech)))], rng)
        samples = utterance.samples
        if human and rng.random() < 0.8:
            samples = augment.speed(samples, rng.uniform(0.86, 1.16))
        if len(samples) > augment.seconds(LONGEST_S):
            continue
        if rng.random() < 0.25:
            samples = augment.tight(samples, rng.uniform(0.01, 0.05))
        level = augment.LIGHT if rng.random() < 0.5 else augment.HEAVY
        heard = augment.degrade(samples, rng, level, "train", around.noises, around.babble)
        yield utterance.text, utterance.source, features(heard)
    for _ in range(NOISES_PER_COPY):
        yield "", "noise", features(augment.noise_alone(rng, around.noises, around.babble))


def copy_shard(work: Path, name: str, number: int, seed: int, noises: Sequence[F32]) -> float:
    """Writes copy `number` of a speech shard, unless it is there; answers its hours."""
    path = work / "features" / f"{name}-copy{number}"
    if path.with_suffix(".json").exists():
        return 0.0
    rng = rng_for(name, seed, number)
    speech = shards.read_speech(work / "speech" / name)
    babble = [speech[i].samples for i in rng.integers(len(speech), size=40)]
    rows = copies(speech, rng, Surroundings(noises, babble), human=name.startswith("an4"))
    return shards.write_features(path, rows) / 360_000


def speech_shard(work: Path, kind: str, shard: int, seed: int, espeak: Espeak) -> str:
    """Writes a shard of synthetic speech, unless it is there; answers its name."""
    name = f"{kind}-{shard:03d}"
    path = work / "speech" / name
    if not path.with_suffix(".json").exists():
        shards.write_speech(path, synthesise(name, kind, seed, espeak))
    return name


def nobody_shard(work: Path, clips: int, seed: int, noises: Sequence[F32]) -> None:
    """Writes sounds in which nobody speaks, unless they are there."""
    path = work / "features" / "nobody-copy0"
    if path.with_suffix(".json").exists():
        return
    rng = rng_for("nobody", seed)
    babble = [one.samples for one in shards.read_speech(work / "speech" / "synthetic-000")[:40]]
    heard = (_nobody(rng, noises, babble) for _ in range(clips))
    frames = shards.write_features(path, (("", "noise", features(x)) for x in heard))
    print(f"nobody: {frames / 360_000:.2f} h", flush=True)


def _nobody(rng: Rng, noises: Sequence[F32], babble: Sequence[F32]) -> F32:
    if rng.random() < 0.3:
        return augment.noise_alone(rng, noises, babble)
    x = tonal(augment.seconds(rng.uniform(1, 8)), rng)
    return augment.degrade(x, rng, augment.HEAVY, "train", noises, babble)


def main() -> None:
    """Makes the shards and copies asked for."""
    parser = places.parser(__doc__)
    parser.add_argument("--first", type=int, default=0, help="number of the first synthetic shard")
    parser.add_argument("--shards", type=int, default=40, help="how many; 3 hold about an hour")
    parser.add_argument("--vocabulary-shards", type=int, default=24, help="more, of 1,000 words")
    parser.add_argument("--isolated-shards", type=int, default=6, help="more, of words alone")
    parser.add_argument("--lexicon-shards", type=int, default=40, help="more, every word as often")
    parser.add_argument("--digit-shards", type=int, default=6, help="more, of digits alone")
    parser.add_argument("--nobody", type=int, default=1200, help="clips without speech")
    parser.add_argument("--copies", type=int, default=2, help="copies of each synthetic shard")
    parser.add_argument("--an4-copies", type=int, default=0, help="copies of AN4's training speech")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for folder in ("speech", "features"):
        (asked.work / folder).mkdir(parents=True, exist_ok=True)
    noises = list(recordings.noises(asked.assets, "train").values())
    started_s = time.monotonic()
    if asked.an4_copies and not (asked.work / "speech" / "an4.json").exists():
        shards.write_speech(asked.work / "speech" / "an4", recordings.an4(asked.assets, "train"))
    for number in range(asked.an4_copies):
        hours = copy_shard(asked.work, "an4", number, asked.seed, noises)
        print(
            f"an4 copy {number}: {hours:.2f} h after {time.monotonic() - started_s:.0f} s",
            flush=True,
        )
    espeak = Espeak()
    wanted = [("synthetic", asked.first + i) for i in range(asked.shards)]
    wanted += [("isolated", asked.first + i) for i in range(asked.isolated_shards)]
    wanted += [("vocabulary", asked.first + i) for i in range(asked.vocabulary_shards)]
    wanted += [("digit", asked.first + i) for i in range(asked.digit_shards)]
    wanted += [("lexicon", asked.first + i) for i in range(asked.lexicon_shards)]
    for kind, shard in wanted:
        name = speech_shard(asked.work, kind, shard, asked.seed, espeak)
        for number in range(asked.copies):
            hours = copy_shard(asked.work, name, number, asked.seed, noises)
            after_s = time.monotonic() - started_s
            print(f"{name} copy {number}: {hours:.2f} h after {after_s:.0f} s", flush=True)
    nobody_shard(asked.work, asked.nobody, asked.seed, noises)


if __name__ == "__main__":
    main()
