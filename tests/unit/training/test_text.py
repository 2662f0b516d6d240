"""The training text is in the recogniser's orthography and is read as it is meant."""

from __future__ import annotations

import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.stt import callcentre, text


@given(seed=st.integers(0, 2**32), domain=st.sampled_from(get_args(text.Domain)))
def test_text_is_lower_case_words_and_spaced_letters(seed: int, domain: text.Domain) -> None:
    said = text.draw(random.Random(seed), domain, "train")
    assert set(said) <= set("abcdefghijklmnopqrstuvwxyz' ")
    assert said == " ".join(said.split()) != ""


@given(seed=st.integers(0, 2**32))
def test_callcentre_sentences_keep_to_their_vocabulary(seed: int) -> None:
    assert set(callcentre.sentence(random.Random(seed)).split()) <= callcentre.vocabulary()


def test_the_callcentre_knows_about_a_thousand_words() -> None:
    assert 1000 <= len(callcentre.vocabulary()) <= 1300


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("send a message", "send a message"),
        ("b a d", "b A d"),
        ("a", "A"),
        ("three a m", "three A m"),
        ("a five", "a five"),
    ],
)
def test_the_letter_a_is_told_from_the_article(said: str, read: str) -> None:
    assert text.spoken(said, "A") == read
