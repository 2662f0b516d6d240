"""What the voices are measured with, they were not trained on."""

from hypothesis import given
from hypothesis import strategies as st

from training.tts.text import cardinal, evaluation_texts, held_out, training_texts

WORDS = ["zephyr", "quartz", "mellow"]


@given(st.integers(), st.integers())
def test_training_and_evaluation_are_apart_by_hash(one: int, other: int) -> None:
    """By the sentence alone: its mark at the end does not make it another."""
    assert not any(held_out(text) for text in training_texts(one, 100, WORDS))
    assert all(held_out(text.replace(".", "?")) for text in evaluation_texts(other, 3))


def test_equal_seeds_give_equal_sentences() -> None:
    assert training_texts(3, 50, WORDS) == training_texts(3, 50, WORDS)
    assert training_texts(3, 50, WORDS) != training_texts(4, 50, WORDS)


@given(st.integers(0, 999_999))
def test_numbers_are_words(number: int) -> None:
    assert cardinal(number).replace(" ", "").isalpha()
