"""What is told of a stream, token by token, adds up to what its decoder believes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_node.sessions.transcript import Transcript
from edge_node.stt.decoding import Decoder, Decoding
from edge_node.stt.engine import Token
from edge_node.stt.graph import Graph
from edge_node.stt.ngram import NGram
from edge_node.stt.vocabulary import Vocabulary
from shared.errors import SnapshotRefused

VOCABULARY = Vocabulary(("▁call", "▁ho", "me", "ome", "▁me", "<blk>"))
BLANK = VOCABULARY.blank
LOGPROB = {("call",): -2.0, ("home",): -2.0, ("me",): -2.0, ("<unk>",): -6.0}
NOTES = {"scale": 0.4, "bonus": 0.0, "unknown": -4.0, "letter": -1.0}
GRAPHS = {"telephone": Graph(NGram(LOGPROB, {}, NOTES), VOCABULARY.symbols, "1")}
DECODER = Decoder(VOCABULARY, GRAPHS)
FRAMES = 6

scores = st.lists(
    st.lists(st.floats(-5, 5), min_size=BLANK + 1, max_size=BLANK + 1),
    min_size=FRAMES,
    max_size=FRAMES,
)
cuts_of_frames = st.lists(st.integers(0, FRAMES), max_size=3)


def logprobs_of(rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    values = np.array(rows)
    return np.asarray(values - np.log(np.exp(values).sum(1, keepdims=True)), np.float32)


def peaks(*frames: dict[str, float]) -> NDArray[np.float32]:
    """Frames with these probabilities, the rest blank."""
    rows = np.full((len(frames), BLANK + 1), 1e-9)
    for row, frame in zip(rows, frames, strict=True):
        for text, probability in frame.items():
            row[VOCABULARY.symbols.index(text)] = probability
        row[BLANK] = 1 - row.sum()
    return np.asarray(np.log(rows), np.float32)


def step(stream: Decoding, logprobs: NDArray[np.float32], first: int = 0) -> list[Token]:
    return DECODER.tokens(logprobs[None], [stream], [first])[0]


def after(tokens: Sequence[Token]) -> list[str]:
    transcript = Transcript()
    transcript.add(tokens)
    return [word.text for word in transcript.words]


LOST = peaks({"▁call": 0.9}, {}, {"ome": 0.6, "▁ho": 0.35}, {"me": 0.8})
"""The best symbol of each frame makes no word of it."""


def test_a_graph_finds_the_words_that_greedy_search_loses() -> None:
    assert after(step(DECODER.fresh("", BLANK), LOST)) == ["callomeme"]
    assert after(step(DECODER.fresh("telephone", BLANK), LOST)) == ["call", "home"]


def test_what_later_audio_proves_wrong_is_replaced() -> None:
    """A lone "ome" is believed for a moment, until what follows makes a word of another piece."""
    stream = DECODER.fresh("telephone", BLANK)
    first = step(stream, peaks({"▁call": 0.9}, {"▁me": 0.5, "▁ho": 0.4}))
    second = step(stream, peaks({"me": 0.9}), 2)
    assert after(first) == ["call", "me"]
    assert [(token.text, token.frame, token.replaces) for token in second] == [
        ("▁ho", 1, 1),
        ("me", 2, 0),
    ]
    assert after([*first, *second]) == ["call", "home"]


def test_words_may_be_taken_back_with_nothing_in_their_place() -> None:
    """What sounded like a second word was the first one going on."""
    stream = DECODER.fresh("telephone", BLANK)
    first = step(stream, peaks({"▁me": 0.9}, {"▁call": 0.75, "▁me": 0.2}))
    second = step(stream, peaks({"▁me": 0.999}), 2)
    assert after(first) == ["me", "call"]
    assert second == [Token("", 0, 0.0, replaces=1)]
    assert after([*first, *second]) == ["me"]


@given(rows=scores, cuts=cuts_of_frames, moved=st.booleans())
def test_told_in_pieces_it_is_what_is_told_at_once(
    rows: list[list[float]], cuts: list[int], *, moved: bool
) -> None:
    logprobs = logprobs_of(rows)
    pieces, told = DECODER.fresh("telephone", BLANK), []
    for begin, end in pairwise([0, *sorted(cuts), FRAMES]):
        told += step(pieces, logprobs[begin:end], begin) if end > begin else []
        if moved:
            packed = DECODER.pack(pieces)
            pieces = DECODER.unpack(pieces.last, pieces.graph, packed)
    whole, pieced = Transcript(), Transcript()
    whole.add(step(DECODER.fresh("telephone", BLANK), logprobs))
    pieced.add(told)
    assert pieced.words == whole.words


@given(rows=scores, cut=st.integers(1, FRAMES - 1))
def test_streams_with_and_without_graphs_share_a_batch(rows: list[list[float]], cut: int) -> None:
    logprobs = logprobs_of(rows)
    names = ["", "telephone", ""]
    together = [DECODER.fresh(name, BLANK) for name in names]
    alone = [DECODER.fresh(name, BLANK) for name in names]
    for begin, end in ((0, cut), (cut, FRAMES)):
        batch = np.stack([logprobs[begin:end]] * 4)
        tokens = DECODER.tokens(batch, together, [begin] * 3)
        assert tokens == [step(stream, logprobs[begin:end], begin) for stream in alone]


def test_frames_before_the_first_sample_count_as_the_first() -> None:
    stream = DECODER.fresh("telephone", BLANK)
    tokens = step(stream, peaks({"▁call": 0.9}, {}, {"▁me": 0.9}), -1)
    assert [token.frame for token in tokens] == [0, 1]


def test_a_stream_of_a_graph_that_is_not_here_is_refused() -> None:
    packed = DECODER.pack(DECODER.fresh("telephone", BLANK))
    with pytest.raises(SnapshotRefused) as caught:
        Decoder(VOCABULARY, {}).unpack(BLANK, "telephone", packed)
    assert caught.value.field == "graph"
