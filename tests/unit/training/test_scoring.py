"""Word error rates, by hand and by property."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.stt.scoring import Scored, rate, word_errors

SENTENCES = st.lists(st.sampled_from("abc"), max_size=7).map(" ".join)


@pytest.mark.parametrize(
    ("heard", "said", "errors"),
    [("a b c", "a b c", 0), ("a c", "a b c", 1), ("a b b c", "a b c", 1), ("", "a b", 2)],
)
def test_errors_by_hand(heard: str, said: str, errors: int) -> None:
    assert word_errors(heard, said) == errors


@given(one=SENTENCES, other=SENTENCES, third=SENTENCES)
def test_errors_are_a_distance(one: str, other: str, third: str) -> None:
    assert (word_errors(one, other) == 0) == (one == other)
    assert word_errors(one, other) == word_errors(other, one)
    assert word_errors(one, third) <= word_errors(one, other) + word_errors(other, third)


def test_the_interval_is_over_speakers_not_utterances() -> None:
    """A hundred utterances of one speaker say nothing of others; two speakers differ visibly."""
    alone = [Scored("x", int(i % 2), 1) for i in range(100)]
    assert (rate(alone, random.Random(1)).low, rate(alone, random.Random(1)).high) == (50, 50)
    two = [Scored("good", 0, 10), Scored("bad", 10, 10)]
    found = rate(two, random.Random(1))
    assert (found.low, found.percent, found.high) == (0, 50, 100)


def test_no_words_are_refused() -> None:
    with pytest.raises(ValueError, match="no words"):
        rate([Scored("x", 0, 0)], random.Random(1))
