"""Word n-grams with back-off from sentences: interpolated absolute discounting, as ARPA text."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import log10
from typing import TYPE_CHECKING, Final

from edge_node.stt.ngram import BEGIN, END, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Words = tuple[str, ...]

DISCOUNT: Final = 0.7
"""Taken from each count and given to words not seen there."""
UNSEEN: Final = 0.5
"""Added to the count of each single word: none is impossible."""
NEVER: Final = -99.0
"""What the format says for a word that is never said, such as the beginning."""


class Counts:
    """How often each word stands behind each history, up to `order` - 1 words long."""

    def __init__(self, sentences: Iterable[str], order: int) -> None:
        self.order = order
        self.behind: dict[Words, Counter[str]] = defaultdict(Counter)
        for sentence in sentences:
            words = (BEGIN, *sentence.split(), END)
            for at in range(1, len(words)):
                for begin in range(max(0, at - order + 1), at + 1):
                    self.behind[words[begin:at]][words[at]] += 1


class Estimates:
    """The probability of every n-gram that was seen, and what histories leave to others.

    Args:
        counts: of the sentences.
        unknown: the probability of a word that is in no sentence; 0 for a closed vocabulary.
    """

    def __init__(self, counts: Counts, unknown: float) -> None:
        singles = counts.behind[()]
        total = sum(singles.values()) + UNSEEN * len(singles)
        self.probability: dict[Words, float] = {
            (word,): (count + UNSEEN) / total * (1 - unknown)
            for word, count in sorted(singles.items())
        }
        if unknown:
            self.probability[(UNKNOWN,)] = unknown
        self.left: dict[Words, float] = {}
        for history in sorted(counts.behind, key=lambda words: (len(words), words)):
            if history:
                self._add(history, counts.behind[history])

    def of(self, history: Words, word: str) -> float:
        """The probability of a word behind a history."""
        known = self.probability.get((*history, word))
        if known is not None or not history:
            return known or 0.0
        return self.left.get(history, 1.0) * self.of(history[1:], word)

    def _add(self, history: Words, counts: Counter[str]) -> None:
        """Each word: its discounted share, and its part of what the discount left over."""
        total = sum(counts.values())
        left = DISCOUNT * len(counts) / total
        self.left[history] = left
        shorter = history[1:]
        for word, count in sorted(counts.items()):
            share = (count - DISCOUNT) / total + left * self.of(shorter, word)
            self.probability[(*history, word)] = share


def to_arpa(estimates: Estimates, notes: Mapping[str, float]) -> str:
    """The estimates in ARPA form, with `name number` lines before them."""
    rows: dict[int, list[str]] = defaultdict(list)
    rows[1].append(_row(NEVER, (BEGIN,), estimates.left.get((BEGIN,))))
    for words, probability in estimates.probability.items():
        rows[len(words)].append(_row(log10(probability), words, estimates.left.get(words)))
    lines = [f"{name} {value:g}" for name, value in notes.items()]
    lines += ["", "\\data\\", *(f"ngram {order}={len(rows[order])}" for order in sorted(rows))]
    for order in sorted(rows):
        lines += ["", f"\\{order}-grams:", *rows[order]]
    return "\n".join([*lines, "", "\\end\\", ""])


def _row(logarithm: float, words: Words, left: float | None) -> str:
    row = f"{logarithm:.3f}\t{' '.join(words)}"
    return row if left is None else f"{row}\t{log10(left):.3f}"
