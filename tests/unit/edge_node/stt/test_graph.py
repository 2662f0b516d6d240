"""What a graph says of a text is what its n-gram says, however the text is cut into pieces."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.graph import Graph, Place
from edge_node.stt.ngram import NGram
from shared.errors import ModelRefused

SYMBOLS = ("<unk>", "▁", "▁c", "▁ca", "a", "al", "l", "ll", "▁call", "▁me", "m", "e", "<blk>")
PIECES = range(1, len(SYMBOLS) - 1)
LOGPROB = {
    ("<s>",): -99.0,
    ("call",): -2.0,
    ("me",): -1.5,
    ("all",): -3.0,
    ("<unk>",): -5.0,
    ("</s>",): -2.0,
    ("<s>", "call"): -0.3,
    ("call", "me"): -0.2,
}
BACKOFF = {("<s>",): -0.7, ("call",): -0.4}
NOTES = {"scale": 0.5, "bonus": 0.25, "unknown": -2.0, "letter": -0.5}
OPEN = NGram(LOGPROB, BACKOFF, NOTES)
CLOSED = NGram({k: v for k, v in LOGPROB.items() if k != ("<unk>",)}, BACKOFF, NOTES)


def walked(graph: Graph, pieces: list[int]) -> float | None:
    """The product of all gains, the last word's included; None where the graph says no."""
    place: Place | None = graph.start
    gain = 1.0
    for piece in pieces:
        step = None if place is None else graph.follow(place, piece)
        if step is None:
            return None
        gain, place = gain * step[0], step[1]
    assert place is not None
    ended = graph.finish(place)
    return None if ended is None else gain * ended[0]


def defined(text: str) -> float:
    """The logarithm of the gain of a text, from the definition of a back-off n-gram."""
    total, before = 0.0, ("<s>",)
    for word in text.split():
        known = word in {"call", "me", "all"}
        name = word if known else "<unk>"
        score = LOGPROB.get((*before, name))
        if score is None:
            score = LOGPROB[(name,)] + BACKOFF.get(before, 0.0)
        total += 0.5 * score + 0.25
        total += 0.0 if known else -2.0 - 0.5 * len(word)
        before = (name,) if known else ()
    return total


def text_of(pieces: list[int]) -> str:
    return "".join(SYMBOLS[piece] for piece in pieces).replace("▁", " ")


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=8))
def test_the_gain_of_a_text_is_its_ngrams(pieces: list[int]) -> None:
    gain = walked(Graph(OPEN, SYMBOLS), pieces)
    assert gain is not None
    assert log(gain) == pytest.approx(defined(text_of(pieces)))


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=8))
def test_a_closed_graph_has_its_own_words_alone(pieces: list[int]) -> None:
    gain = walked(Graph(CLOSED, SYMBOLS), pieces)
    text = text_of(pieces)
    if set(text.split()) <= {"call", "me", "all"}:
        assert gain is not None
        assert log(gain) == pytest.approx(defined(text))
    else:
        assert gain is None


def test_what_is_no_text_is_in_no_graph() -> None:
    graph = Graph(OPEN, SYMBOLS)
    for symbol in (0, len(SYMBOLS) - 1):
        assert graph.follow(graph.start, symbol) is None


def test_on_the_way_a_word_counts_as_the_best_that_may_come_of_it() -> None:
    graph = Graph(OPEN, SYMBOLS)
    step = graph.follow(graph.start, SYMBOLS.index("▁c"))
    assert step is not None
    assert log(step[0]) == pytest.approx(0.5 * LOGPROB[("call",)] + 0.25)


@pytest.mark.parametrize("notes", [{"scale": 0.0}, {"scale": 11.0}, {"bonus": float("nan")}])
def test_senseless_weights_are_refused(notes: dict[str, float]) -> None:
    with pytest.raises(ModelRefused, match="out of range"):
        Graph(NGram(LOGPROB, BACKOFF, notes), SYMBOLS)


def test_extreme_logarithms_neither_vanish_nor_explode() -> None:
    wild = NGram({("a",): -1e9, ("<unk>",): -1e9}, {("a",): 1e9}, {"scale": 10.0})
    graph = Graph(wild, ("▁a", "b", "<blk>"))
    for pieces in ([0], [0, 0, 0], [0, 1], [1, 0]):
        gain = walked(graph, pieces)
        assert gain is not None
        assert 0.0 < gain < float("inf")
