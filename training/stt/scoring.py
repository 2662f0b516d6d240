"""Word error rates and how sure of them we may be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


def word_errors(heard: str, said: str) -> int:
    """Fewest words to insert, delete and replace between the two."""
    words = heard.split()
    row = list(range(len(words) + 1))
    for i, expected in enumerate(said.split(), start=1):
        diagonal, row[0] = row[0], i
        for j, word in enumerate(words, start=1):
            above = row[j]
            row[j] = min(above + 1, row[j - 1] + 1, diagonal + (word != expected))
            diagonal = above
    return row[-1]


@dataclass(frozen=True, slots=True)
class Scored:
    """One utterance's score."""

    speaker: str
    errors: int
    words: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A word error rate in percent, with its 95 % interval over speakers."""

    percent: float
    low: float
    high: float
    words: int

    def __str__(self) -> str:
        return f"{self.percent:.1f} % [{self.low:.1f}, {self.high:.1f}] of {self.words} words"


def rate(scores: Sequence[Scored], rng: random.Random, rounds: int = 2000) -> Rate:
    """The rate over all words, and a bootstrap that draws whole speakers.

    Raises:
        ValueError: there are no words to score.
    """
    totals: dict[str, tuple[int, int]] = {}
    for one in scores:
        errors, words = totals.get(one.speaker, (0, 0))
        totals[one.speaker] = (errors + one.errors, words + one.words)
    speakers = list(totals.values())
    if not sum(words for _, words in speakers):
        raise ValueError("scores hold no words: give at least one utterance with text")
    drawn = sorted(_percent(rng.choices(speakers, k=len(speakers))) for _ in range(rounds))
    low, high = drawn[int(0.025 * rounds)], drawn[int(0.975 * rounds)]
    return Rate(_percent(speakers), low, high, sum(words for _, words in speakers))


def _percent(totals: Sequence[tuple[int, int]]) -> float:
    words = sum(words for _, words in totals)
    return 100 * sum(errors for errors, _ in totals) / max(words, 1)
