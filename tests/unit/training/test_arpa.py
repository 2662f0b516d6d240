"""The n-grams that training writes are the ones that the recogniser reads."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.ngram import BEGIN, END, UNKNOWN, NGram, read_arpa
from training.stt.arpa import Counts, Estimates, to_arpa

sentences = st.lists(
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(" ".join),
    min_size=1,
    max_size=8,
)


def probability(ngram: NGram, history: tuple[str, ...], word: str) -> float:
    """By the definition of back-off."""
    if (*history, word) in ngram.logprob:
        return exp(ngram.logprob[(*history, word)])
    if not history:
        return 0.0
    return exp(ngram.backoff.get(history, 0.0)) * probability(ngram, history[1:], word)


@given(said=sentences, order=st.integers(1, 3), unknown=st.sampled_from([0.0, 0.01]))
def test_what_is_read_back_are_probabilities(said: list[str], order: int, unknown: float) -> None:
    read = read_arpa(to_arpa(Estimates(Counts(said, order), unknown), {"scale": 0.5}))
    assert read.is_open == bool(unknown)
    assert read.notes == {"scale": 0.5}
    every = {words[0] for words in read.logprob if len(words) == 1} - {BEGIN}
    assert every == set(" ".join(said).split()) | {END} | ({UNKNOWN} if unknown else set())
    for history in [(), *read.backoff]:
        total = sum(probability(read, history, word) for word in every)
        assert total == pytest.approx(1.0, abs=0.02)  # three decimals of a logarithm are written


def test_what_is_said_more_often_is_likelier() -> None:
    read = read_arpa(to_arpa(Estimates(Counts(["a b", "a b", "a c"], 2), 0.01), {}))
    assert read.logprob[("a", "b")] > read.logprob[("a", "c")]
    assert ("b", "c") not in read.logprob
