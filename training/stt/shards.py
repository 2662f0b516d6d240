"""Files of many utterances: speech as 16-bit samples, features as 16-bit floats, a JSON beside."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.stt.features import BINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from training.stt.augment import F32


@dataclass(frozen=True, slots=True)
class Speech:
    """An utterance as samples."""

    text: str
    source: str
    """The voice or the speaker, for instance "rms" or "an4 fash"."""
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an utterance lies in its file; `count` is in samples or in frames."""

    text: str
    source: str
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Example:
    """An utterance as the trainer holds it: features of shape (frames, 80), float16."""

    text: str
    source: str
    frames: NDArray[np.float16]


def _write(path: Path, rows: Iterable[tuple[str, str, NDArray[np.generic]]]) -> int:
    """Data first and its index last, each renamed into place: a reader never sees half a shard."""
    entries, at = [], 0
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        for text, source, values in rows:
            file.write(values.tobytes())
            entries.append(Entry(text, source, at, len(values)))
            at += len(values)
    part.rename(path.with_suffix(".bin"))
    part.write_text(json.dumps([asdict(entry) for entry in entries]))
    part.rename(path.with_suffix(".json"))
    return at


def _entries(path: Path) -> list[Entry]:
    return [Entry(**row) for row in json.loads(path.with_suffix(".json").read_text())]


def write_speech(path: Path, utterances: Iterable[Speech]) -> int:
    """Writes a shard; answers how many samples it holds."""
    rows = (
        (u.text, u.source, np.round(np.clip(u.samples, -1, 1) * 32767).astype(np.int16))
        for u in utterances
    )
    return _write(path, rows)


def read_speech(path: Path) -> list[Speech]:
    """All utterances of a shard."""
    data = np.fromfile(path.with_suffix(".bin"), np.int16)
    samples = [data[e.start : e.start + e.count].astype(np.float32) for e in _entries(path)]
    pairs = zip(_entries(path), samples, strict=True)
    return [Speech(e.text, e.source, np.multiply(x, 1 / 32767, dtype=np.float32)) for e, x in pairs]


def write_features(path: Path, rows: Iterable[tuple[str, str, F32]]) -> int:
    """Writes a shard; answers how many frames it holds."""
    return _write(path, ((text, source, f.astype(np.float16)) for text, source, f in rows))


def read_features(path: Path) -> Iterator[Example]:
    """All utterances of a shard, mapped from the file."""
    if not (entries := _entries(path)):
        return  # an empty file cannot be mapped
    data = np.memmap(path.with_suffix(".bin"), np.float16, "r").reshape(-1, BINS)
    for e in entries:
        yield Example(e.text, e.source, data[e.start : e.start + e.count])
