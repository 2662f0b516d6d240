"""Clauses: everything is in them, in order, and the first is short."""

import re
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.tts.clauses import LONGEST_TEXT_CHARACTERS, clauses, sentences
from edge_node.tts.normalise import normalise
from shared.errors import NothingToSay, TooBig, Unsupported

WORDS = st.text("abcdefghij", min_size=2, max_size=9)


def words_in(text: str) -> list[str]:
    return re.findall(r"[A-Za-z']+", text)


def is_word(text: str) -> bool:
    """Not "dec", which before a stop is a month."""
    return words_in(normalise(f"{text}.")) == words_in(normalise(text))


@given(
    st.lists(
        st.tuples(WORDS.filter(is_word), st.sampled_from(["", ",", ".", "?", ";", "\n"])),
        min_size=1,
    )
)
def test_every_word_is_in_a_clause_in_order(pairs: list[tuple[str, str]]) -> None:
    text = " ".join(word + mark for word, mark in pairs)
    said = [word for clause in clauses(text) for word in words_in(clause)]
    assert said == words_in(" ".join(normalise(word) for word, _ in pairs))


@given(st.text(max_size=300))
def test_any_text_is_clauses_or_a_typed_error(text: str) -> None:
    """Anything else that is raised fails the test."""
    made: list[str] = []
    with suppress(NothingToSay, Unsupported):
        made = list(clauses(text))
        assert made
    assert all(re.search("[A-Za-z]", c) and c[-1] in ",.?!" for c in made)


@given(st.text("ab .,!?1$@-:/()'\n&<>", max_size=400))
def test_marks_and_digits_in_any_order(text: str) -> None:
    if any(char.isalnum() for char in re.sub("<[^>]*>", "", text)):
        assert list(clauses(text))


def test_the_first_clause_is_short_and_none_is_long() -> None:
    made = list(clauses("word " * 500))
    assert len(made[0].split()) <= 12
    assert max(len(clause.split()) for clause in made) <= 22


def test_only_the_last_clause_of_a_sentence_falls() -> None:
    run = " ".join(["word"] * 40)
    assert [clause[-1] for clause in clauses(f"{run}? Yes.")] == [",", ",", "?", "."]


def test_an_abbreviation_ends_no_sentence() -> None:
    assert [s.strip() for s in sentences("Dr. Lee came. He left.") if s.strip()] == [
        "Dr. Lee came.",
        "He left.",
    ]


@pytest.mark.parametrize("text", ["", "  \n", "...", "\x00\x1b", "\ue000", "<br>", "\u200b"])
def test_nothing_to_say_is_an_error(text: str) -> None:
    with pytest.raises(NothingToSay):
        list(clauses(text))


def test_an_unspeakable_character_is_found_before_anything_is_said() -> None:
    with pytest.raises(Unsupported) as caught:
        next(clauses("A long beginning. " * 50 + unicodedata.lookup("CJK UNIFIED IDEOGRAPH-4E16")))
    assert caught.value.value == "世"


@pytest.mark.parametrize("unit", ["a", "1", ".", "a. ", "-1", "<", "(1 ", "'a", "$1", "1:1", "A"])
def test_the_longest_text_is_cut_lazily(unit: str) -> None:
    text = (unit * LONGEST_TEXT_CHARACTERS)[: LONGEST_TEXT_CHARACTERS - 3] + " ok"
    assert len(next(clauses(text))) < 500


def test_a_longer_text_is_refused() -> None:
    with pytest.raises(TooBig):
        next(clauses("a" * (LONGEST_TEXT_CHARACTERS + 1)))
