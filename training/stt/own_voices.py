"""The speech of the voices that ship, to train and evaluate on: `--help` tells more.

The recogniser must understand what the synthesis beside it says, above all else.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import onnxruntime as ort

from edge_node.tts.clauses import clauses
from edge_node.tts.dictionary import Dictionary, LetterRules, SortedLines
from edge_node.tts.phones import IDS
from edge_node.tts.pronounce import Pronouncer
from training.stt import evalsets, places, recordings, shards, text
from training.stt.corpus import Surroundings, copies, rng_for
from training.stt.features import features
from training.stt.shards import Speech

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.stt.augment import F32
    from training.stt.splits import Split

NOISE_SCALE, NOISE_SCALE_W = 0.667, 0.8
"""What sherpa-onnx gives a voice where nothing else is set."""

EVAL_PER_VOICE: Final = 80
MIX: Final[dict[text.Domain, float]] = {
    "telephone": 0.26,
    "callcentre": 0.46,
    "words": 0.18,
    "spelling": 0.05,
    "isolated": 0.05,
}
"""They speak a hundred times faster than real time: the cheapest way to hear every word often."""


def pronouncer(data: Path) -> Pronouncer:
    """The node's own front end."""
    words = SortedLines.unpack((data / "english.words.xz").read_bytes(), "w")
    rules = SortedLines.unpack((data / "english.rules.xz").read_bytes(), "r")
    return Pronouncer(Dictionary(words), LetterRules(rules))


class Voice:
    """One shipped voice, on one thread."""

    def __init__(self, folder: Path, front: Pronouncer) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        path = str(folder / "model.onnx")
        self._session = ort.InferenceSession(path, options, ["CPUExecutionProvider"])
        self._front = front
        self.name = folder.name

    def say(self, words: str, length_scale: float = 1.0) -> F32:
        """The text read aloud at 16 kHz; above 1 is slower."""
        parts = [self._clause(clause, length_scale) for clause in clauses(words)]
        return np.concatenate(parts)

    def _clause(self, clause: str, length_scale: float) -> F32:
        x = np.array([[IDS[symbol] for symbol in self._front.symbols(clause)]])
        numbers = [np.array([v], np.float32) for v in (NOISE_SCALE, length_scale, NOISE_SCALE_W)]
        names = [one.name for one in self._session.get_inputs()]
        feeds = dict(zip(names, [x, np.array([x.shape[1]]), *numbers], strict=False))
        return np.asarray(self._session.run(None, feeds)[0], np.float32).reshape(-1)


def readings(
    voice: Voice, rng: random.Random, split: Split, count: int, domain: text.Domain | None = None
) -> Iterator[Speech]:
    """Texts of this split, of every domain unless one is named, at slightly varying speeds."""
    names, weights = zip(*MIX.items(), strict=True)
    for _ in range(count):
        words = text.draw(rng, domain or rng.choices(names, weights)[0], split)
        scale = rng.uniform(0.85, 1.2) if split == "train" else 1.0
        yield Speech(words, f"own {voice.name}", voice.say(words, scale))


def training_shard(voice: Voice, path: Path, count: int, seed: int, noises: list[F32]) -> None:
    """Writes one copy of `count` readings as features."""
    rng = rng_for(voice.name, seed)
    drawer = random.Random(f"{seed} {voice.name}")
    speech = list(readings(voice, drawer, "train", count))
    babble = [speech[i].samples for i in rng.integers(len(speech), size=40)]
    rows = copies(speech, rng, Surroundings(noises, babble), human=False)
    print(f"{path.name}: {shards.write_features(path, rows) / 360_000:.2f} h", flush=True)


def evaluation_set(voices: list[Voice], domain: text.Domain, work: Path) -> None:
    """Writes the set of a domain, and part of it for the trainer's curve."""
    speech: list[Speech] = []
    for voice in voices:
        drawer = random.Random(f"evaluation {voice.name}")
        speech += readings(voice, drawer, "eval", EVAL_PER_VOICE, domain)
    shards.write_speech(work / "eval" / f"own-{domain}", speech)
    dev = ((s.text, s.source, features(evalsets.surrounded(s.samples))) for s in speech[::3])
    shards.write_features(work / "dev" / f"own-{domain}", dev)


def main() -> None:
    """Writes feature shards for training and the sets "own-*" for evaluation."""
    parser = places.parser(__doc__)
    embedded = sorted(places.MODEL.parent.glob("voice-en-*male"))
    parser.add_argument("--voices", type=Path, nargs="+", default=embedded, help="model folders")
    parser.add_argument("--data", type=Path, default=Path("edge_node/tts/data"))
    parser.add_argument("--utterances", type=int, default=3000, help="of each voice; 0: none")
    parser.add_argument("--name", default="own", help="of the shards")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for folder in ("features", "eval", "dev"):
        (asked.work / folder).mkdir(parents=True, exist_ok=True)
    front = pronouncer(asked.data)
    noises = list(recordings.noises(asked.assets, "train").values())
    voices = [Voice(folder, front) for folder in asked.voices]
    for voice in voices:
        path = asked.work / "features" / f"{asked.name}-{voice.name}-copy0"
        if asked.utterances and not path.with_suffix(".json").exists():
            training_shard(voice, path, asked.utterances, asked.seed, noises)
    domains: tuple[text.Domain, ...] = ("telephone", "callcentre")
    for domain in domains:
        evaluation_set(voices, domain, asked.work)


if __name__ == "__main__":
    main()
