"""The telephone grammar keeps its promises for every seed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.local import phrases

SEEDS = st.integers(0, 2**32)


@given(seed=SEEDS)
def test_a_sentence_has_three_to_twelve_known_words(seed: int) -> None:
    """The recogniser is trained on this vocabulary and on nothing beside it."""
    words = phrases.sentence(random.Random(seed)).split()
    assert 3 <= len(words) <= 12
    assert set(words) <= phrases.vocabulary()


@given(seed=SEEDS)
def test_equal_seeds_say_equal_sentences(seed: int) -> None:
    assert phrases.sentence(random.Random(seed)) == phrases.sentence(random.Random(seed))


@given(seed=SEEDS, kind=st.sampled_from(phrases.kinds()))
def test_a_phrase_of_any_kind_is_in_our_orthography(seed: int, kind: str) -> None:
    """Lower case, digits as words, single spaces, no slot left unfilled."""
    text = phrases.phrase(random.Random(seed), kind)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyz' ")
    assert " ".join(text.split()) == text


def test_every_word_of_the_vocabulary_is_said() -> None:
    """A word that no phrase holds would promise more than the grammar gives."""
    rng = random.Random(1)
    said = {word for _ in range(30_000) for word in phrases.sentence(rng).split()}
    assert phrases.vocabulary() == said


def test_an_unknown_kind_is_named_with_the_choices() -> None:
    with pytest.raises(ValueError, match=r"kind='song'.*money"):
        phrases.phrase(random.Random(1), "song")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (305, "three hundred five"),
        (12_000, "twelve thousand"),
    ],
)
def test_numbers_are_read_without_and(number: int, words: str) -> None:
    assert phrases.number_words(number) == words


@given(number=st.integers(0, 99_999))
def test_different_numbers_are_read_differently(number: int) -> None:
    """Read back by a second reader, written from the words up."""
    values = {w: i for i, w in enumerate((*phrases.DIGITS, *phrases.TEENS))}
    values |= {w: 10 * i for i, w in enumerate(phrases.TENS, start=2)}
    total = part = 0
    for word in phrases.number_words(number).split():
        match word:
            case "thousand":
                total, part = total + 1000 * part, 0
            case "hundred":
                part *= 100
            case _:
                part += values[word]
    assert number == total + part


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="n=-1"):
        phrases.number_words(-1)
