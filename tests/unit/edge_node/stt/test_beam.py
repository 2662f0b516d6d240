"""The beam search against its definition: every path of every text, added up."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_node.stt import beam as beam_module
from edge_node.stt.beam import Beam, Link
from edge_node.stt.beam_state import pack_beam, unpack_beam
from edge_node.stt.graph import Graph
from edge_node.stt.ngram import NGram
from shared.errors import SnapshotRefused

SYMBOLS = ("▁a", "b", "▁c", "<blk>")
BLANK = 3
FRAMES = 4
WORDS = tuple(f"{first}{'b' * more}" for first in ("a", "b", "c") for more in range(FRAMES))


def every_history() -> NGram:
    """Each sequence that fits is a history of its own, so that no two texts share a place."""
    rng = np.random.default_rng(5)
    every = [words for n in range(1, FRAMES + 1) for words in product(WORDS, repeat=n)]
    sequences = [words for words in every if len("".join(words)) <= FRAMES]
    logprob = {words: -float(rng.uniform(0.1, 3)) for words in sequences}
    backoff = {words: -float(rng.uniform(0.0, 1)) for words in sequences}
    return NGram(logprob, backoff, {"scale": 0.7, "bonus": 0.3})


GRAPH = Graph(every_history(), SYMBOLS, "of a test")
SHARED = Graph(NGram({(w,): -1.0 for w in ("a", "b", "ab")}, {}, {}), SYMBOLS, "another")
"""No history at all: texts share places, and unknown words are impossible."""

scores = st.lists(
    st.lists(st.floats(-6, 3), min_size=len(SYMBOLS), max_size=len(SYMBOLS)),
    min_size=1,
    max_size=FRAMES,
)


def logprobs_of(rows: list[list[float]]) -> NDArray[np.float32]:
    values = np.array(rows, np.float64)
    return np.asarray(values - np.log(np.exp(values).sum(1, keepdims=True)), np.float32)


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_given_up() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beam_module, "WIDTH", 10_000)
        patch.setattr(beam_module, "LIKELY", 1e-30)
        patch.setattr(beam_module, "HOPELESS", 0.0)
        yield


def said(link: Link | None) -> list[tuple[int, int]]:
    """Symbols and their frames, in order."""
    found = []
    while link is not None:
        found.append((link[1], link[2]))
        link = link[0]
    return found[::-1]


def texts(logprobs: NDArray[np.float32], graph: Graph) -> dict[tuple[int, ...], float]:
    """The likelihood of every text, by definition."""
    total: dict[tuple[int, ...], float] = defaultdict(float)
    for path in product(range(len(SYMBOLS)), repeat=len(logprobs)):
        text = tuple(symbol for symbol, _ in groupby(path) if symbol != BLANK)
        total[text] += float(np.exp(logprobs[range(len(path)), path].astype(np.float64).sum()))
    return {text: likelihood * gain_of(graph, text) for text, likelihood in total.items()}


def gain_of(graph: Graph, text: tuple[int, ...]) -> float:
    gain, place = 1.0, graph.start
    for symbol in text:
        step = graph.follow(place, symbol)
        if step is None:
            return 0.0
        gain, place = gain * step[0], step[1]
    ended = graph.finish(place)
    return 0.0 if ended is None else gain * ended[0]


def heard(logprobs: NDArray[np.float32], graph: Graph, cuts: list[int] | None = None) -> Beam:
    beam = Beam.fresh(graph)
    for begin, end in pairwise([0, *sorted(cuts or []), len(logprobs)]):
        beam.hear(logprobs[begin:end], BLANK)
    return beam


@settings(max_examples=40, deadline=None)
@given(rows=scores)
def test_the_best_text_is_found(rows: list[list[float]]) -> None:
    logprobs = logprobs_of(rows)
    wanted = texts(logprobs, GRAPH)
    found = tuple(symbol for symbol, _ in said(heard(logprobs, GRAPH).best()))
    assert wanted[found] == pytest.approx(max(wanted.values()), rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(rows=scores)
def test_a_closed_graph_lets_no_other_word_through(rows: list[list[float]]) -> None:
    found = tuple(symbol for symbol, _ in said(heard(logprobs_of(rows), SHARED).best()))
    assert gain_of(SHARED, found) > 0


@given(rows=scores)
def test_symbols_stand_at_rising_frames_where_they_were_likely(rows: list[list[float]]) -> None:
    logprobs = logprobs_of(rows)
    link = heard(logprobs, GRAPH).best()
    frames = [frame for _, frame in said(link)]
    assert all(before < after for before, after in pairwise(frames))
    while link is not None:
        before, symbol, frame, probability, length = link
        assert probability == pytest.approx(float(np.exp(logprobs[frame, symbol])))
        assert length == (0 if before is None else before[4]) + 1
        link = before


@given(rows=scores, cuts=st.lists(st.integers(0, FRAMES), max_size=4), packed=st.booleans())
def test_cuts_and_moves_change_nothing(
    rows: list[list[float]], cuts: list[int], *, packed: bool
) -> None:
    logprobs = logprobs_of(rows)
    beam = Beam.fresh(SHARED)
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for begin, end in pairwise(edges):
        beam.hear(logprobs[begin:end], BLANK)
        if packed:
            beam = unpack_beam(SHARED, pack_beam(beam))
    whole = heard(logprobs, SHARED)
    assert beam.cells == whole.cells
    assert (beam.frames, beam.silent) == (whole.frames, whole.silent)


def test_frames_that_say_nothing_change_nothing_after_the_first() -> None:
    """However long the silence: a repeat behind it is a new symbol, and no likelihood fades."""
    silence = np.full((1000, len(SYMBOLS)), -1e4, np.float32)
    silence[:, BLANK] = 0.0
    word = silence[:1].copy()
    word[0] = (0.0, -1e4, -1e4, -1e4)
    beam = Beam.fresh(GRAPH)
    for logprobs in (word, silence, word, silence):
        beam.hear(logprobs, BLANK)
    assert said(beam.best()) == [(0, 0), (0, 1001)]
    assert max(cell.total for cell in beam.cells.values()) == pytest.approx(1.0)


def test_hypotheses_stay_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beam_module, "WIDTH", 4)
    rows = np.random.default_rng(1).normal(size=(200, len(SYMBOLS))).tolist()
    assert len(heard(logprobs_of(rows), SHARED).cells) <= 4 + 1  # one more, whose words are whole


def test_no_frame_costs_more_than_a_few_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beam_module, "MOST", 1)
    unsure = logprobs_of([[0.1, 0.2, 0.3, 0.0]])
    followed = [place for place, _ in heard(unsure, GRAPH).cells]
    assert len(followed) == 2  # nothing, and the likeliest symbol


def test_half_a_word_does_not_deafen_a_closed_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """What began like one of its words and went on otherwise is given up, not waited for."""
    monkeypatch.setattr(beam_module, "HOPELESS", 1e-2)
    words = Graph(NGram({("ab",): -1.0, ("c",): -1.0}, {}, {}), SYMBOLS)
    sure = np.full((3, len(SYMBOLS)), np.log(1e-12), np.float32)
    sure[0, SYMBOLS.index("▁a")] = sure[1, BLANK] = sure[2, SYMBOLS.index("▁c")] = 0.0
    sure[0, BLANK] = np.log(1e-4)
    assert said(heard(sure, words).best()) == [(SYMBOLS.index("▁c"), 2)]


def test_an_impossible_frame_is_passed_over() -> None:
    """A closed graph and a recogniser that is sure of something else: what was heard stays."""
    sure = np.full((2, len(SYMBOLS)), -1e4, np.float32)
    sure[0, 0] = sure[1, 1] = 0.0
    only_a = Graph(NGram({("a",): -1.0}, {}, {}), SYMBOLS)
    assert said(heard(sure, only_a).best()) == [(0, 0)]


def test_a_beam_of_another_graph_or_a_broken_one_is_refused() -> None:
    packed = pack_beam(heard(logprobs_of([[0.0, 1.0, 2.0, 0.5]] * 3), GRAPH))
    with pytest.raises(SnapshotRefused, match="another graph"):
        unpack_beam(SHARED, packed)
    same_name = Graph(NGram({("a",): -1.0}, {}, {}), SYMBOLS, "of a test")
    with pytest.raises(SnapshotRefused, match="places"):
        unpack_beam(same_name, packed)
    for broken in (b"", packed[:-3], b"\x90"):
        with pytest.raises(SnapshotRefused, match="cannot be read"):
            unpack_beam(GRAPH, broken)
