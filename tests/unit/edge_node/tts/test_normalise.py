"""How what is written is spoken: one row a habit of writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.tts.characters import plain, spoken, unspeakable
from edge_node.tts.normalise import normalise


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$1,234.50.", "one thousand two hundred thirty four dollars and fifty cents."),
        ("$1 and $0.01", "one dollar and zero dollars and one cent"),
        ("£3.02, €2 million, ¥5", "three pounds and two pence, two million euros, five yen"),
        ("on 12/05/2024", "on december fifth, twenty twenty four"),
        ("on 2009-02-01", "on february first, two thousand nine"),
        ("13/45/2024", "one three four five two zero two four"),
        ("at 10:05 pm", "at ten oh five P M"),
        ("at 9am", "at nine A M"),
        ("at 14:00", "at fourteen o'clock"),
        ("Dr. Smith vs. Mr. Lee", "doctor Smith versus mister Lee"),
        ("code AB12C", "code A B one two C"),
        ("IBM and NASA's", "I B M and NASA's"),
        ("the U.S. law", "the U S law"),
        ("call 555-1234", "call five five five, one two three four"),
        ("007 and 12345678", "zero zero seven and one two three four five six seven eight"),
        ("1,000,000 or 1000", "one million or one thousand"),
        ("in 1987, in 1900", "in nineteen eighty seven, in nineteen hundred"),
        ("the 21st of May", "the twenty first of May"),
        ("3.14 or -5", "three point one four or minus five"),
        ("1/2 and 3/4", "one half and three quarters"),
        ("5-10 people", "five to ten people"),
        ("50% off & more", "fifty percent off and more"),
        ("a@b.com", "a at b dot com"),
        ("https://x.org/a_b", "x dot org slash a b"),
        ("No. 5. No.", "number five. No."),
        ("(yes) - well...", "yes, well."),
        ("STOP SHOUTING AT PEOPLE", "stop shouting at people"),
        ("\U0001f600 hi", "grinning face hi"),
        ("٣٤ and \uff11\uff12", "thirty four and twelve"),
        ("½ café naïve", "one half cafe naive"),
        ("<b>bold</b> &amp; <i>it</i>", "bold and it"),
        ("20°C", "twenty degrees celsius"),
        ("", ""),
        ("...?!", ""),
    ],
)  # fmt: skip
def test_writing_becomes_words(written: str, said: str) -> None:
    assert normalise(plain(written)) == said


@given(st.text(max_size=200))
def test_nothing_but_words_and_marks_remains(text: str) -> None:
    assert set(normalise(plain(text))) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ' ,.?!;:"
    )


@given(st.integers(0, 10**18))
def test_no_number_is_passed_over(number: int) -> None:
    assert normalise(f"{number}").split()


@given(st.characters(categories=["Nd"]))
def test_digits_of_every_script_are_digits(char: str) -> None:
    assert (spoken(char) or "").isdigit()


def test_what_has_no_english_sound_is_named() -> None:
    assert unspeakable("hello 世") == "世"
    assert unspeakable("Привет, Ελλάδα, カナ, 한국, ☎") is None
