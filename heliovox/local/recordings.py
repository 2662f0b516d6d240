"""Recordings of people, from a folder that the project does not ship."""

import json
import random
from pathlib import Path

from heliovox.client.files import open_audio
from heliovox.local.calls import Recording

_SECONDS = (1.0, 5.0)
"""Long enough for a few words, short enough for a demonstration."""


def draw_people(assets: Path, rng: random.Random, count: int) -> list[Recording]:
    """Draws AN4 test recordings.

    Raises:
        OSError: the folder holds no such recordings.
        UnreadableAudio: a recording that cannot be read.
    """
    lines = (assets / "an4" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if _fits(row)]
    return [_read(assets, row) for row in rng.sample(rows, min(count, len(rows)))]


def _fits(row: dict[str, object]) -> bool:
    length_s = row.get("dur")
    short = isinstance(length_s, (int, float)) and _SECONDS[0] <= length_s <= _SECONDS[1]
    return row.get("split") == "test" and short


def _read(assets: Path, row: dict[str, object]) -> Recording:
    with open_audio(assets / str(row["file"])) as source:
        data = b"".join(source.pieces)
    return Recording(str(row.get("spk", "")), str(row["text"]).lower(), source.audio, data)
