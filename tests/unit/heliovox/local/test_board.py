from hypothesis import given
from hypothesis import strategies as st

from heliovox.local.board import Board


def test_a_pipe_sees_each_call_once() -> None:
    board = Board(80, terminal=False, names=["ann", "bob"])
    assert board.say(0, "hel") == ""
    assert board.say(0, "hello", final=True) == "  ann  hello\n"


def test_a_terminal_is_drawn_over_from_the_second_time_on() -> None:
    board = Board(80, terminal=True, names=["ann", "bob"])
    assert board.say(1, "hi") == "  ann  \x1b[K\n  bob  hi\x1b[K\n"
    assert board.say(0, "yes") == "\x1b[2A  ann  yes\x1b[K\n  bob  hi\x1b[K\n"


@given(st.text(alphabet="ab ", max_size=60), st.integers(10, 40))
def test_no_line_wraps(text: str, columns: int) -> None:
    drawn = Board(columns, terminal=True, names=["ann"]).say(0, text)
    assert len(drawn.removesuffix("\x1b[K\n")) < columns
