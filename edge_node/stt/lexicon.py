"""The words of a graph as a tree of letters, and where each word piece leads in it."""

from collections.abc import Mapping, Sequence

WORD_START = "▁"
ROOT = 0


class Lexicon:
    """However a word is cut into pieces, its letters lead to the same node.

    Args:
        gains: what each word counts at least once it is whole, greater than 0.
        symbols: the recogniser's, by number; those between <> stand for no letters.
    """

    def __init__(self, gains: Mapping[str, float], symbols: Sequence[str]) -> None:
        self.word: list[str | None] = [None]
        """The word that ends at a node."""
        self.depth = [0]
        """Letters from the root."""
        self.hope = [1.0]
        """The greatest gain of the words below a node; 1 at the root, where none has begun."""
        self._children: list[dict[str, int]] = [{}]
        for word, gain in sorted(gains.items()):
            self._add(word, gain)
        self.begins: dict[int, int] = {}
        """Where a symbol that begins a word leads from the root."""
        self.moves: list[dict[int, int]] = [{} for _ in self.word]
        """Where a symbol that goes on with a word leads from a node."""
        self._find_begins(symbols)
        self._find_moves(symbols)

    def _add(self, word: str, gain: float) -> None:
        node = ROOT
        for letter in word:
            if letter not in self._children[node]:
                self._children[node][letter] = len(self.word)
                self.word.append(None)
                self.depth.append(self.depth[node] + 1)
                self.hope.append(0.0)
                self._children.append({})
            node = self._children[node][letter]
            self.hope[node] = max(self.hope[node], gain)
        self.word[node] = word

    def _find_begins(self, symbols: Sequence[str]) -> None:
        for symbol, text in enumerate(symbols):
            if text.startswith(WORD_START):
                node = self._walk(ROOT, text[1:])
                if node is not None:
                    self.begins[symbol] = node

    def _find_moves(self, symbols: Sequence[str]) -> None:
        by_letter: dict[str, list[tuple[int, str]]] = {}
        for symbol, text in enumerate(symbols):
            if text and not text.startswith((WORD_START, "<")):
                by_letter.setdefault(text[0], []).append((symbol, text))
        for begin, children in enumerate(self._children):
            for letter in children:
                for symbol, text in by_letter.get(letter, ()):
                    if (node := self._walk(begin, text)) is not None:
                        self.moves[begin][symbol] = node

    def _walk(self, node: int, letters: str) -> int | None:
        at: int | None = node
        for letter in letters:
            at = None if at is None else self._children[at].get(letter)
        return at
