"""CTC prefix beam search through a graph: what was most likely said, given what is expected.

Hypotheses at the same place of the graph whose last symbol is the same have the same future, so
the likelier one stands for both. Most frames say nothing at all, and cost next to nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from edge_node.stt.graph import Graph, Place

WIDTH = 12
"""Hypotheses kept. With 8 a tenth more words of a large vocabulary are wrong, 16 find none more."""
LIKELY = 3e-3
"""A symbol less probable than this is not tried. 1e-2 costs half and hears a little worse."""
MOST = 8
"""Symbols tried in a frame: sound that is no speech must not cost more than speech."""
HOPELESS = 1e-3
"""A hypothesis so much less likely than the best is given up."""
_NONE = -1

Link = tuple["Link | None", int, int, float, int]
"""The link before, the symbol, its frame, its probability there, and how many links it ends."""
Key = tuple[Place, int]
"""Where a hypothesis is, and its last symbol."""


@dataclass(slots=True)
class Cell:
    """A hypothesis: its likelihood by whether the last frame was blank, and how it came about."""

    blank: float
    symbol: float
    link: Link | None
    best: float
    """The likeliest of the ways that lead here, the one that `link` tells."""

    @property
    def total(self) -> float:
        """However the last frame was."""
        return self.blank + self.symbol


@dataclass(slots=True)
class Beam:
    """What one utterance may have been so far. Likelihoods are relative to the best."""

    graph: Graph
    cells: dict[Key, Cell]
    frames: int = 0
    silent: bool = False
    """Whether the last frame was blank in every hypothesis."""

    @classmethod
    def fresh(cls, graph: Graph) -> "Beam":
        """Nothing heard yet."""
        return cls(graph, {(graph.start, _NONE): Cell(1.0, 0.0, None, 1.0)})

    def hear(self, logprobs: NDArray[np.float32], blank: int) -> None:
        """The next frames.

        Args:
            logprobs: shape (frames, symbols).
            blank: the symbol that stands for nothing new.
        """
        blanks = logprobs[:, blank].tolist()
        for likely, silence in zip(_likely(logprobs, blank), blanks, strict=True):
            if likely:
                self._frame(likely, exp(silence))
            elif not self.silent:
                self._rest()
            self.frames += 1

    def best(self) -> Link | None:
        """How the likeliest hypothesis came about, its last word counted as whole."""
        found: Link | None = None
        highest = 0.0
        for (place, _), cell in self.cells.items():
            ended = self.graph.finish(place)
            if ended is not None and cell.total * ended[0] > highest:
                found, highest = cell.link, cell.total * ended[0]
        return found

    def _rest(self) -> None:
        """A frame that can only be blank."""
        for cell in self.cells.values():
            cell.blank, cell.symbol = cell.total, 0.0
        self.silent = True

    def _frame(self, likely: Sequence[tuple[int, float]], blank: float) -> None:
        grown: dict[Key, Cell] = {}
        again = dict(likely)
        follow = self.graph.follow
        for key, cell in self.cells.items():
            place, last = key
            total, length = cell.blank + cell.symbol, _length(cell.link) + 1
            stays = cell.symbol * again.get(last, 0.0)
            _add(grown, key, total * blank, stays, cell.link)
            for symbol, probability in likely:
                before = cell.blank if symbol == last else total
                step = follow(place, symbol) if before else None
                if step is not None:
                    way = before * probability * step[0]
                    link = (cell.link, symbol, self.frames, probability, length)
                    _add(grown, (step[1], symbol), 0.0, way, link)
        self.cells = _pruned(grown, self.graph) or self.cells
        self.silent = False


def _likely(logprobs: NDArray[np.float32], blank: int) -> list[list[tuple[int, float]]]:
    """The symbols of each frame that are worth a try, with their probabilities."""
    found: list[list[tuple[int, float]]] = [[] for _ in logprobs]
    frames, symbols = np.nonzero(logprobs > log(LIKELY))
    values = logprobs[frames, symbols].tolist()
    for frame, symbol, value in zip(frames.tolist(), symbols.tolist(), values, strict=True):
        if symbol != blank:
            found[frame].append((symbol, min(1.0, exp(value))))
    return [one if len(one) <= MOST else sorted(one, key=_probability)[-MOST:] for one in found]


def _probability(candidate: tuple[int, float]) -> float:
    return candidate[1]


def _add(grown: dict[Key, Cell], key: Key, blank: float, symbol: float, link: Link | None) -> None:
    """Another way to a hypothesis: their likelihoods add up, the likelier one is told."""
    way = blank + symbol
    cell = grown.get(key)
    if cell is None:
        grown[key] = Cell(blank, symbol, link, way)
        return
    cell.blank += blank
    cell.symbol += symbol
    if way > cell.best:
        cell.link, cell.best = link, way


def _pruned(grown: dict[Key, Cell], graph: Graph) -> dict[Key, Cell]:
    """The best, relative to the very best; empty where nothing is possible.

    Among them the best whose last word is whole, however unlikely: where no other words than the
    graph's are possible, all the rest may come to nothing.
    """
    ranked = sorted(grown.items(), key=_total, reverse=True)
    top = ranked[0][1].total
    if not top > 0.0:
        return {}
    kept = {key: cell for key, cell in ranked[:WIDTH] if cell.total >= HOPELESS * top}
    whole = next((item for item in ranked if graph.finish(item[0][0]) is not None), ranked[0])
    kept[whole[0]] = whole[1]
    for cell in kept.values():
        cell.blank /= top
        cell.symbol /= top
    return kept


def _total(item: tuple[Key, Cell]) -> float:
    return item[1].blank + item[1].symbol


def _length(link: Link | None) -> int:
    return 0 if link is None else link[4]
