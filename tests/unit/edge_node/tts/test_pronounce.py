"""No word is dropped."""

import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.tts.dictionary import SortedLines
from edge_node.tts.front_end import english
from edge_node.tts.phones import IDS, PHONES, decode, encode, from_arpabet
from shared.errors import ModelRefused

VOWELS_SPOKEN = {phone for phone in PHONES if phone[-1] in "01"}


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=30))
def test_every_word_is_said_and_unless_the_dictionary_has_it_with_a_vowel(word: str) -> None:
    """Humming (mm, shh) is in the dictionary without one."""
    said = set(english().word(word))
    assert said
    assert VOWELS_SPOKEN & said or len(word) <= 4


@given(st.from_regex(r"[A-Za-z]+('[A-Za-z]+)*", fullmatch=True))
def test_apostrophes_and_capitals_lose_nothing(word: str) -> None:
    assert english().word(word)
    assert set(english().symbols(f"{word}.")) <= set(IDS)


@pytest.mark.parametrize(
    ("clause", "symbols"),
    [
        ("hello.", "^ hh ax0 l ow1 ."),
        ("a b c,", "^ ey1 b iy1 s iy1 ,"),
        ("a cat?", "^ ax0 k ae1 t ?"),
        ("yes, no.", "^ y eh1 s , n ow1 ."),
        ("ten A M", "^ t eh1 n ey1 eh1 m ,"),
        ("xqz.", "^ eh1 k s k y uw1 z iy1 ."),
        ("smith's", "^ s m ih1 th s ,"),
        ("zorbox's.", "^ z er0 b aa1 k s ih0 z ."),
    ],
)
def test_known_pronunciations(clause: str, symbols: str) -> None:
    assert " ".join(english().symbols(clause)) == symbols


@given(st.dictionaries(st.text("abcd'", min_size=1, max_size=5), st.text("xyz", max_size=3)))
def test_halving_finds_each_key_and_no_other(rows: dict[str, str]) -> None:
    block = "".join(f"{key}\t{rows[key]}\n" for key in sorted(rows)).encode()
    lines = SortedLines(block)
    assert {key: lines.get(key) for key in rows} == rows
    assert lines.get("zz") is None
    assert lines.get("a" * 9) is None


@given(st.lists(st.sampled_from(PHONES)))
def test_codes_stand_for_phones(phones: list[str]) -> None:
    assert decode(encode(phones)) == tuple(phones)


@pytest.mark.parametrize(
    ("name", "phone"), [("AH0", "ax0"), ("AH2", "ah1"), ("HH", "hh"), ("IY1", "iy1")]
)
def test_arpabet(name: str, phone: str) -> None:
    assert from_arpabet(name) == phone


@pytest.mark.parametrize("name", ["QQ", "AA3X", "B1"])
def test_no_arpabet(name: str) -> None:
    with pytest.raises(KeyError):
        from_arpabet(name)


@pytest.mark.parametrize("packed", [b"", b"junk", lzma.compress(b"word"), lzma.compress(b"a\tb")])
def test_a_damaged_file_is_refused_by_name(packed: bytes) -> None:
    with pytest.raises(ModelRefused, match=r"words\.xz"):
        SortedLines.unpack(packed, "words.xz")
