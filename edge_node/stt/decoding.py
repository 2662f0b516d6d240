"""From log-probabilities to tokens, stream by stream: greedy, or with a graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_node.stt.beam import Beam, Link
from edge_node.stt.beam_state import pack_beam, unpack_beam
from edge_node.stt.ctc import Emitted, greedy
from edge_node.stt.engine import Token
from edge_node.stt.graph import Graph
from edge_node.stt.vocabulary import Vocabulary
from shared.errors import SnapshotRefused


@dataclass(slots=True)
class Decoding:
    """How far the words of a stream are."""

    last: int
    """The best symbol of the last frame."""
    graph: str = ""
    beam: Beam | None = None
    told: list[Link] = field(default_factory=list)
    """The tokens given out, in order, as the beam has them."""


class Decoder:
    """Greedy for streams without a graph, a beam search for the others."""

    def __init__(self, vocabulary: Vocabulary, graphs: Mapping[str, Graph]) -> None:
        self._vocabulary, self._graphs = vocabulary, graphs
        self.blank, self.symbols = vocabulary.blank, len(vocabulary.symbols)

    def fresh(self, graph: str, last: int) -> Decoding:
        """Nothing heard yet.

        Args:
            graph: one of the decoder's, or "".
            last: the best symbol of the frame before the first.
        """
        beam = Beam.fresh(self._graphs[graph]) if graph else None
        return Decoding(last, graph, beam)

    def tokens(
        self,
        logprobs: NDArray[np.float32],
        streams: Sequence[Decoding],
        first_frames: Sequence[int],
    ) -> list[list[Token]]:
        """The new tokens of each stream.

        Args:
            logprobs: shape (at least as many as streams, frames, symbols).
            streams: in the same order.
            first_frames: the first frame of each on its own stream's clock.
        """
        heard = logprobs[: len(streams)]
        emitted, after = greedy(heard, [stream.last for stream in streams], self.blank)
        tokens = []
        for i, (stream, first) in enumerate(zip(streams, first_frames, strict=True)):
            stream.last = after[i]
            if stream.beam is None:
                tokens.append([self._token(one, first) for one in emitted[i]])
            else:
                stream.beam.hear(heard[i], self.blank)
                tokens.append(self._news(stream, stream.beam.best(), first + len(heard[i])))
        return tokens

    def pack(self, stream: Decoding) -> bytes:
        """All of it, for `unpack`."""
        if stream.beam is None:
            return b""
        return pack_beam(stream.beam)

    def unpack(self, last: int, graph: str, packed: bytes) -> Decoding:
        """Raises SnapshotRefused: a graph that is not here, or another one under its name."""
        if not graph:
            return Decoding(last)
        if graph not in self._graphs:
            raise SnapshotRefused(
                f"the stream was heard with graph {graph[:100]!r}, which is not here",
                field="graph",
                value=graph,
                remedy="restore it on a node that has the graph",
            )
        beam = unpack_beam(self._graphs[graph], packed)
        return Decoding(last, graph, beam, _chain(beam.best()))

    def _token(self, emitted: Emitted, first_frame: int) -> Token:
        text = self._vocabulary.symbols[emitted.symbol]
        return Token(text, max(0, first_frame + emitted.frame), emitted.probability)

    def _news(self, stream: Decoding, best: Link | None, frames: int) -> list[Token]:
        """What must be said so that the tokens told become those of the best hypothesis."""
        told, new = stream.told, []
        while best is not None and not (best[4] <= len(told) and told[best[4] - 1] is best):
            new.append(best)
            best = best[0]
        same = 0 if best is None else best[4]
        replaces = len(told) - same
        del told[same:]
        told += reversed(new)
        offset = frames - (stream.beam.frames if stream.beam else 0)
        tokens = [self._linked(link, offset) for link in reversed(new)]
        return _replacing(tokens, replaces)

    def _linked(self, link: Link, offset: int) -> Token:
        _, symbol, frame, probability, _ = link
        return Token(self._vocabulary.symbols[symbol], max(0, offset + frame), probability)


def _replacing(tokens: list[Token], replaces: int) -> list[Token]:
    if not replaces:
        return tokens
    if not tokens:
        return [Token("", 0, 0.0, replaces)]
    first = tokens[0]
    return [Token(first.text, first.frame, first.probability, replaces), *tokens[1:]]


def _chain(link: Link | None) -> list[Link]:
    links = []
    while link is not None:
        links.append(link)
        link = link[0]
    return links[::-1]
