"""Tokens to words: text, times, confidence. Grows with the tokens; nothing is done twice."""

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

    @property
    def last_frame(self) -> int:
        """The frame of the latest token, -1 for none."""
        return self.words[-1].last_frame if self.words else -1

    def add(self, tokens: Iterable[Token]) -> None:
        """Appends tokens in order. A piece that begins with "▁" begins a word."""
        for token in tokens:
            starts = token.text.startswith(WORD_START)
            text = token.text[1:] if starts else token.text
            if starts or not self.words:
                self.words.append(SpokenWord(text, token.frame, token.frame, token.probability, 1))
            else:
                self._extend(text, token)

    def _extend(self, text: str, token: Token) -> None:
        word = self.words[-1]
        word.text += text
        word.last_frame = token.frame
        word.probability_sum += token.probability
        word.pieces += 1
