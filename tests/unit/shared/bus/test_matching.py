"""Subjects against a second, slower idea of the same rules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.matching import checked, checked_key, matches, overlap

TOKENS = st.sampled_from(["a", "b", "c"])
SUBJECTS = st.lists(TOKENS, min_size=1, max_size=4).map(".".join)
PATTERNS = st.builds(
    lambda tokens, end: ".".join([*tokens, *end]),
    st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=4),
    st.sampled_from([[], [">"]]),
)


def expression(pattern: str) -> re.Pattern[str]:
    parts = {"*": "[^.]+", ">": ".+"}
    return re.compile(r"\.".join(parts.get(token, token) for token in pattern.split(".")))


@given(pattern=PATTERNS, subject=SUBJECTS)
def test_a_pattern_matches_what_its_expression_matches(pattern: str, subject: str) -> None:
    assert matches(pattern, subject) == bool(expression(pattern).fullmatch(subject))


@given(one=PATTERNS, other=PATTERNS, subject=SUBJECTS)
def test_patterns_that_share_a_subject_overlap(one: str, other: str, subject: str) -> None:
    if matches(one, subject) and matches(other, subject):
        assert overlap(one, other)


@given(outer=PATTERNS, inner=PATTERNS, subject=SUBJECTS)
def test_a_pattern_inside_another_matches_no_more(outer: str, inner: str, subject: str) -> None:
    if matches(outer, inner) and matches(inner, subject):
        assert matches(outer, subject)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("a.*", "*.b", True),
        ("a.>", "a", False),
        ("a.>", "a.b.c", True),
        (">", "a", True),
        ("a.*", "a.b.c", False),
        ("a.b", "a.c", False),
    ],
)
def test_overlap(one: str, other: str, shared: bool) -> None:
    assert overlap(one, other) is shared
    assert overlap(other, one) is shared


@pytest.mark.parametrize("bad", ["", ".", "a..b", "a b", "a.\n", "a.>.b", ".a"])
def test_what_is_no_pattern_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"subject|pattern"):
        checked(bad, pattern=True)


@pytest.mark.parametrize("bad", ["*", "a.>", "a.*.b"])
def test_a_pattern_is_no_subject(bad: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        checked(bad)


@pytest.mark.parametrize("bad", ["", "a b", "a.*", "é", "a..b", "$x"])
def test_what_is_no_key_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"key|subject|pattern"):
        checked_key(bad)
