from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.vocabulary import read_vocabulary
from shared.errors import ModelRefused


def test_symbols_by_number_whatever_the_order() -> None:
    read = read_vocabulary("▁a 1\n<blk> 2\nb 0\n", 3)
    assert read.symbols == ("b", "▁a", "<blk>")
    assert read.blank == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1"),
        ("a 0\nb 1\n", "<blk>"),
        ("a 0\n<blk> 2\n", "gap"),
        ("a 0\n<blk> 0\n", "line 2"),
        ("a zero\n<blk> 1\n", "line 1"),
        ("<blk> 0\n", "the model scores 3"),
        ("\x00\x01 binary", "line 1"),
    ],
)
def test_what_is_no_vocabulary_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ModelRefused, match=why) as caught:
        read_vocabulary(text, 3)
    assert caught.value.remedy


@given(text=st.text())
def test_any_text_is_a_vocabulary_or_a_typed_error(text: str) -> None:
    with suppress(ModelRefused):
        read_vocabulary(text)
