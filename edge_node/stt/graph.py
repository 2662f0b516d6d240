"""Which words a session expects, and what each piece of text counts as it is heard.

A graph is a lexicon and a back-off word n-gram over it. Every symbol that the recogniser may have
heard moves to another place in the graph and multiplies the hypothesis by a gain. A word's own
gain is known at its end only; on the way there it counts as the best word that may still come of
it, so that hypotheses in the middle of a word and behind one can be compared.

An n-gram with a probability for unknown words leaves all other words possible: they count little,
and less with each letter. Without one nothing but the graph's words can be heard.
"""

from collections.abc import Sequence
from math import exp

from edge_node.stt.histories import NONE, Histories
from edge_node.stt.lexicon import ROOT, WORD_START, Lexicon
from edge_node.stt.ngram import UNKNOWN, NGram

Place = tuple[int, int]
"""The words before (a history's number), and a node of the lexicon; OUTSIDE in other words."""
Step = tuple[float, Place]
"""A gain, and the place behind it."""
OUTSIDE = -1


class Graph:
    """Compiled for one recogniser's symbols.

    Args:
        ngram: with Weights among its notes.
        symbols: the recogniser's, by number.
        digest: tells graphs apart, for instance the sha256 of the file.

    Raises:
        ModelRefused: weights out of range.
    """

    def __init__(self, ngram: NGram, symbols: Sequence[str], digest: str = "") -> None:
        self.digest, self.symbols = digest, tuple(symbols)
        self._histories = Histories(ngram)
        gains = {word: self._histories.gain(NONE, word)[0] for word in ngram.words}
        self._lexicon = Lexicon(gains, symbols)
        self._letters = [len(text.removeprefix(WORD_START)) for text in symbols]
        self._begins_word = [text.startswith(WORD_START) for text in symbols]
        self._letter = exp(self._histories.weights.letter)
        self.start: Place = (self._histories.start, ROOT)

    def follow(self, place: Place, symbol: int) -> Step | None:
        """Where a symbol leads and its gain; None where the graph has no such word."""
        history, node = place
        gain = 1.0
        if self._begins_word[symbol]:
            if (ended := self.finish(place)) is None:
                return None
            gain, (history, node) = ended
            after = self._lexicon.begins.get(symbol)
        elif node == OUTSIDE:
            return self._letter ** self._letters[symbol], place
        else:
            after = self._lexicon.moves[node].get(symbol)
        if after is None:
            return self._leave(gain, history, node, symbol)
        hope = self._lexicon.hope
        return gain * hope[after] / hope[node], (history, after)

    def finish(self, place: Place) -> Step | None:
        """The end of a word: its place behind it, at the root, and the gain still missing."""
        history, node = place
        if node == ROOT:
            return 1.0, place
        if node == OUTSIDE:
            return 1.0, (NONE, ROOT)
        word = self._lexicon.word[node]
        if word is None:
            return self._end_outside(history, node)
        gain, after = self._histories.gain(history, word)
        return gain / self._lexicon.hope[node], (after, ROOT)

    def knows(self, place: Place) -> bool:
        """Whether it is a place of this graph."""
        history, node = place
        return 0 <= history < len(self._histories) and OUTSIDE <= node < len(self._lexicon.word)

    def _leave(self, gain: float, history: int, node: int, symbol: int) -> Step | None:
        """Into a word that the lexicon does not have."""
        unknown, _ = self._histories.gain(history, UNKNOWN)
        if unknown == 0.0 or self.symbols[symbol].startswith("<"):
            return None
        letters = self._lexicon.depth[node] + self._letters[symbol]
        hope = self._lexicon.hope[node]
        return gain * unknown * self._letter**letters / hope, (history, OUTSIDE)

    def _end_outside(self, history: int, node: int) -> Step | None:
        """A word ended before it was one of the lexicon's."""
        unknown, _ = self._histories.gain(history, UNKNOWN)
        if unknown == 0.0:
            return None
        lexicon = self._lexicon
        gain = unknown * self._letter ** lexicon.depth[node] / lexicon.hope[node]
        return gain, (NONE, ROOT)
