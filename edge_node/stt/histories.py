"""What a word counts behind the words before it: a back-off n-gram with its weights applied."""

from dataclasses import dataclass
from math import exp

from edge_node.stt.ngram import BEGIN, END, UNKNOWN, NGram
from shared.errors import ModelRefused

NONE = 0
"""The history of no words at all."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the n-gram counts against the sound; natural logarithms."""

    scale: float = 0.3
    """Of the n-gram's logarithms: the recogniser is surer than it is right."""
    bonus: float = 0.0
    """For each word. More of it invents short words, less leaves words out."""
    unknown: float = -2.0
    """For a word that is not in the vocabulary, besides the n-gram's own."""
    letter: float = -0.5
    """For each letter of such a word."""


class Histories:
    """Every history of the n-gram by a number, and the gain of each word behind it.

    Raises:
        ModelRefused: weights out of range.
    """

    def __init__(self, ngram: NGram) -> None:
        self.weights = weights_of(ngram)
        known = [words for words in ngram.backoff if END not in words]
        self._numbers: dict[tuple[str, ...], int] = {(): NONE}
        self._numbers |= {words: number for number, words in enumerate(known, NONE + 1)}
        self._shorter = [NONE, *(self._longest(words[1:]) for words in known)]
        scale = self.weights.scale
        self._backoff = [1.0, *(_gain(scale * ngram.backoff[words]) for words in known)]
        self._words: list[dict[str, tuple[float, int]]] = [{} for _ in self._numbers]
        for words, logprob in ngram.logprob.items():
            self._add(words, logprob)
        self.start = self._numbers.get((BEGIN,), NONE)

    def __len__(self) -> int:
        return len(self._words)

    def gain(self, history: int, word: str) -> tuple[float, int]:
        """Of a word behind a history, and the history behind it; 0.0 for a word not there."""
        backoff = 1.0
        while (found := self._words[history].get(word)) is None:
            if history == NONE:
                return 0.0, NONE
            backoff *= self._backoff[history]
            history = self._shorter[history]
        return backoff * found[0], found[1]

    def _add(self, words: tuple[str, ...], logprob: float) -> None:
        word = words[-1]
        history = self._numbers.get(words[:-1])
        if history is None or word in (BEGIN, END):
            return
        exponent = self.weights.scale * logprob + self.weights.bonus
        if word == UNKNOWN:
            exponent += self.weights.unknown
        self._words[history][word] = (_gain(exponent), self._longest(words))

    def _longest(self, words: tuple[str, ...]) -> int:
        """The history of so many of the latest words as are known together."""
        while words not in self._numbers:
            words = words[1:]
        return self._numbers[words]


def weights_of(ngram: NGram) -> Weights:
    """As the notes say. Raises ModelRefused: out of range."""
    given = {name: ngram.notes[name] for name in Weights.__slots__ if name in ngram.notes}
    weights = Weights(**given)
    if not 0.0 < weights.scale <= 10.0 or not all(abs(value) <= 100.0 for value in given.values()):
        raise ModelRefused(
            f"the graph's weights {given} are out of range",
            field="graph",
            value=given,
            remedy="use a scale above 0 up to 10, and the others between -100 and 100",
        )
    return weights


def _gain(exponent: float) -> float:
    """Never 0 and never infinite: hypotheses are compared by quotients."""
    return exp(min(max(exponent, -200.0), 100.0))
