import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.cli.tables import duration, number, table


@given(st.lists(st.tuples(*[st.text("abc é", max_size=6)] * 3), max_size=5))
def test_columns_begin_where_their_heading_begins(rows: list[tuple[str, str, str]]) -> None:
    lines = table(["A", "B", "C"], rows).splitlines()
    assert len(lines) == len(rows) + 1
    second, third = lines[0].index("B"), lines[0].index("C")
    for line, (a, b, c) in zip(lines[1:], rows, strict=True):
        assert line[: second - 2].rstrip() == a.rstrip()
        assert line[second : third - 2].rstrip() == b.rstrip()
        assert line[third:] == c.rstrip()


def test_numbers_stand_on_the_right() -> None:
    assert table(["N", "X"], [["1", "a"], ["100", "b"]], right="N") == "  N  X\n  1  a\n100  b\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_nothing_is_a_dash() -> None:
    assert (number(None), number(1.25, 2)) == ("-", "1.25")
