"""Measures voices: size, speed, and how well PocketSphinx, an ear that is not ours, hears them.

The same sentences, held out from training by their hash, are read by the teachers and by
our voices; the words that PocketSphinx gets wrong are compared, with a bootstrap over sentences.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pocketsphinx import Decoder

from edge_node.tts.clauses import clauses
from edge_node.tts.front_end import english
from edge_node.tts.voice import SAMPLE_RATE, OnnxVoice
from training.tts import teachers
from training.tts.teachers import Reading
from training.tts.text import evaluation_texts

F32 = npt.NDArray[np.float32]
_SEED = 99
_TEACHERS: dict[str, Callable[[Sequence[str]], Iterator[Reading]]] = {
    "voice-en-female": teachers.festival,
    "voice-en-fallback": teachers.festival,
    "voice-en-male": teachers.flite,
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """Words wrong of words, a pair for each sentence."""

    pairs: tuple[tuple[int, int], ...]

    def rate(self) -> float:
        """Word error rate."""
        return sum(w for w, _ in self.pairs) / sum(n for _, n in self.pairs)

    def interval(self, draws: int = 1000) -> tuple[float, float]:
        """95 % by bootstrap."""
        table = np.array(self.pairs)
        picks = np.random.default_rng(0).integers(0, len(table), (draws, len(table)))
        sums = table[picks].sum(1)
        low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
        return float(low), float(high)


class Ear:
    """PocketSphinx with the American English model of its package."""

    def __init__(self) -> None:
        self._decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")

    def hear(self, samples: F32) -> list[str]:
        """Its words, for speech with a quarter second of silence at both ends."""
        edge = np.zeros(SAMPLE_RATE // 4, np.float32)
        loud = np.concatenate([edge, samples, edge]).clip(-1, 1) * 32000
        self._decoder.start_utt()
        self._decoder.process_raw(loud.astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()
        heard = self._decoder.hyp()
        return heard.hypstr.split() if heard else []


def distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words to change, drop or add."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def _words(text: str) -> list[str]:
    return text.replace(",", "").replace(".", "").split()


def _read(voice: OnnxVoice, text: str) -> F32:
    parts = [voice.say(english().symbols(clause), 1.0) for clause in clauses(text)]
    return np.concatenate(parts)


def _speed(voice: OnnxVoice, texts: Sequence[str]) -> dict[str, float]:
    """CPU seconds for a second of audio, and CPU ms from text to the first clause's audio."""
    first_ms, rates = [], []
    for text in texts:
        started_s = time.thread_time()
        samples = voice.say(english().symbols(next(clauses(text))), 1.0)
        took_s = time.thread_time() - started_s
        first_ms.append(took_s * 1000)
        rates.append(took_s / (samples.size / SAMPLE_RATE))
    p50, p95 = np.percentile(first_ms, [50, 95])
    return {"rtf": float(np.median(rates)), "first_p50_ms": float(p50), "first_p95_ms": float(p95)}


def evaluate(name: str, folder: Path, texts: Sequence[str], ear: Ear) -> dict[str, object]:
    """One voice against its teacher."""
    file = folder / "model.onnx"
    voice = OnnxVoice(name, file)
    ours, theirs = [], []
    for reading in _TEACHERS[name](texts):
        said = _words(reading.text)
        theirs.append((distance(said, ear.hear(reading.samples)), len(said)))
        ours.append((distance(said, ear.hear(_read(voice, reading.text))), len(said)))
    mine, teacher = Wrong(tuple(ours)), Wrong(tuple(theirs))
    return {
        "voice": name,
        "bytes": file.stat().st_size,
        "wer": mine.rate(),
        "wer_95": mine.interval(),
        "teacher_wer": teacher.rate(),
        "teacher_wer_95": teacher.interval(),
        **_speed(voice, texts),
    }


def main() -> None:
    """The command; one line of JSON a voice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("edge_node/models/embedded"))
    parser.add_argument("--sentences", type=int, default=100)
    parser.add_argument("--voices", nargs="*", choices=_TEACHERS, default=list(_TEACHERS))
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    texts, ear = evaluation_texts(_SEED, asked.sentences), Ear()
    for name in asked.voices:
        print(json.dumps(evaluate(name, asked.models / name, texts, ear)), flush=True)


if __name__ == "__main__":
    main()
