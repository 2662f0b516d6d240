"""How well words were heard, and how well they must be. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

CALL_MOST_WER = 1.0
"""A call of three spelled letters may go wrong as a whole; one that invents more is broken."""
OWN_MOST_WER = 0.45
"""All calls of one form together. Over 1,100 seeds the mean was 2.9 % (16 kHz) and 3.5 %
(telephone), and the worst draw, mostly of spelled letters, 39 %: any seed must pass, and a node
that hears badly must not."""
HUMAN_MOST_WER = 0.4
"""All recordings of people together: three strangers are a small sample, so judged loosely."""


@dataclass(frozen=True, slots=True)
class Score:
    """Words that came out wrong among words that were said."""

    errors: int
    """Substituted, lost and invented words."""
    words: int

    @property
    def wer(self) -> float:
        """Word error rate: above 1 where more was invented than said."""
        return self.errors / max(self.words, 1)


def score(said: str, heard: str) -> Score:
    """Compares two texts word by word, as they stand."""
    want, got = said.split(), heard.split()
    return Score(_distance(want, got), len(want))


def total(scores: Iterable[Score]) -> Score:
    """Several texts as one."""
    listed = list(scores)
    return Score(sum(s.errors for s in listed), sum(s.words for s in listed))


def _distance(want: list[str], got: list[str]) -> int:
    """Levenshtein's, over words."""
    row = list(range(len(got) + 1))
    for i, word in enumerate(want, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            kept = diagonal + (word != other)
            diagonal, row[j] = row[j], min(kept, row[j] + 1, row[j - 1] + 1)
    return row[-1]
