from hypothesis import given
from hypothesis import strategies as st

from heliovox.local.scoring import Score, score, total

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)


def test_each_kind_of_error_counts_one() -> None:
    assert score("one two three", "one two three") == Score(0, 3)
    assert score("one two three", "one too three") == Score(1, 3)
    assert score("one two three", "one three") == Score(1, 3)
    assert score("one two three", "one two two three") == Score(1, 3)
    assert score("", "one") == Score(1, 0)
    assert score("one two", "") == Score(2, 2)


@given(WORDS, WORDS)
def test_errors_are_a_distance(one: list[str], other: list[str]) -> None:
    there, back = score(" ".join(one), " ".join(other)), score(" ".join(other), " ".join(one))
    assert there.errors == back.errors
    assert (there.errors == 0) == (one == other)
    assert abs(len(one) - len(other)) <= there.errors <= max(len(one), len(other))


@given(WORDS, WORDS, WORDS)
def test_no_detour_is_shorter(a: list[str], b: list[str], c: list[str]) -> None:
    def errors(x: list[str], y: list[str]) -> int:
        return score(" ".join(x), " ".join(y)).errors

    assert errors(a, c) <= errors(a, b) + errors(b, c)


def test_a_long_text_weighs_more() -> None:
    assert total([Score(1, 1), Score(0, 9)]).wer == 0.1
    assert total([]).wer == 0
