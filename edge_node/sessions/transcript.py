"""Tokens to words: text, times, confidence. Grows with them, and undoes only what they replace."""

from collections.abc import Iterable
from dataclasses import dataclass

from edge_node.stt.engine import Token

WORD_START = "▁"


@dataclass(slots=True)
class SpokenWord:
    """A word on the utterance's own frame clock."""

    text: str
    first_frame: int
    last_frame: int
    probability_sum: float
    pieces: int

    @property
    def confidence(self) -> float:
        """The mean probability of the word's pieces."""
        return self.probability_sum / self.pieces


class Transcript:
    """The words of one utterance so far."""

    def __init__(self) -> None:
        self.words: list[SpokenWord] = []
        self._tokens: list[Token] = []

    @property
    def last_frame(self) -> int:
        """The frame of the latest token, -1 for none."""
        return self.words[-1].last_frame if self.words else -1

    def add(self, tokens: Iterable[Token]) -> None:
        """Appends tokens in order. A piece that begins with "▁" begins a word."""
        for token in tokens:
            if token.replaces:
                self._take_back(token.replaces)
            if token.text:
                self._append(token)

    def _append(self, token: Token) -> None:
        self._tokens.append(token)
        starts = token.text.startswith(WORD_START)
        text = token.text[1:] if starts else token.text
        if starts or not self.words:
            self.words.append(SpokenWord(text, token.frame, token.frame, token.probability, 1))
        else:
            self._extend(text, token)

    def _take_back(self, count: int) -> None:
        """Forgets the latest tokens; what is left of a word is put together anew."""
        kept = len(self._tokens) - count
        begin = len(self._tokens)
        while begin > kept:
            begin -= self.words.pop().pieces
        left = self._tokens[begin:kept]
        del self._tokens[begin:]
        for token in left:
            self._append(token)

    def _extend(self, text: str, token: Token) -> None:
        word = self.words[-1]
        word.text += text
        word.last_frame = token.frame
        word.probability_sum += token.probability
        word.pieces += 1
