"""Which text, voice and room is for training, and which for evaluation only."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import numpy as np

from heliovox.local import phrases
from heliovox.local.phrases import words_of
from training.stt import callcentre

Split = Literal["train", "eval"]

SHARED_WORDS: Final = 3
"""Phrases up to this long are in both splits: there is only one "yes", and ten digits."""

_FIXED: Final = phrases.fixed_sentences() | callcentre.fixed_sentences()

EVAL_TEXT_IN: Final = 20
EVAL_ROOM_IN: Final = 10
"""One text in 20 and one room in 10 is kept for evaluation."""

EVAL_ESPEAK: Final = frozenset(
    words_of("adam belinda benjamin klatt3 linda m5 m8 f3 michel paul steph2 zac")
)
EVAL_VOICES: Final = frozenset({"ked_diphone"}) | {f"espeak {name}" for name in EVAL_ESPEAK}
"""Voices never trained on."""

TRAIN_NOISES: Final = frozenset({"kitchen:early", "sb_noise3", "sb_noise5"})
EVAL_NOISES: Final = frozenset({"kitchen:late", "sb_noise1", "sb_noise2", "sb_noise4"})
"""Noise recordings of each split: the kitchen is cut in two at 60 s."""

ROOMS: Final = 100_000


def _bucket(name: str, buckets: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % buckets


def text_split(text: str) -> Split:
    """Where a sentence belongs.

    Phrases of up to `SHARED_WORDS` words and sentences that have one wording only are training
    text, and never evaluated on.
    """
    if len(text.split()) <= SHARED_WORDS or text in _FIXED:
        return "train"
    return "eval" if _bucket(f"text {text}", EVAL_TEXT_IN) == 0 else "train"


def room_split(room: int) -> Split:
    """Where a room (the seed its echo is made from) belongs."""
    return "eval" if _bucket(f"room {room}", EVAL_ROOM_IN) == 0 else "train"


def voice_split(voice: str) -> Split:
    """Where a voice belongs, by its name: "espeak m5", "ked_diphone", "rms"."""
    return "eval" if voice in EVAL_VOICES else "train"


def draw_room(rng: np.random.Generator, split: Split) -> int:
    """A room of this split."""
    while True:
        room = int(rng.integers(ROOMS))
        if room_split(room) == split:
            return room
