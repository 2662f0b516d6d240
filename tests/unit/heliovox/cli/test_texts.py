from hypothesis import given
from hypothesis import strategies as st

from heliovox.cli.texts import pieces


@given(st.text(alphabet="ab .,\n"), st.integers(1, 12))
def test_no_word_is_lost_and_no_piece_is_too_long(text: str, most: int) -> None:
    cut = pieces(text, most)
    assert all(0 < len(piece) <= most for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


def test_a_text_is_cut_where_a_speaker_would_pause() -> None:
    assert pieces("One two. Three, four five", 20) == ["One two.", "Three, four five"]
    assert pieces("one two, three four", 14) == ["one two,", "three four"]
    assert pieces("one two three", 9) == ["one two", "three"]
