"""No older bundle takes the place of a newer one, in whatever order they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.centre.succession import Mark, check_follows, is_old_news
from shared.bundle import SKEW_S, BundleRefused
from shared.exchange import Bundle


def bundle(version: str, iat: int) -> Bundle:
    return Bundle(version, "p", "", (), (), iat, iat + 86_400)


def follows(one: Bundle, mark: Mark, announced: str | None = None) -> bool:
    try:
        check_follows(one, mark, announced)
    except BundleRefused:
        return False
    return True


A, B = Mark().after(bundle("a", 100)), Mark().after(bundle("a", 100)).after(bundle("b", 130))


@pytest.mark.parametrize(
    ("mark", "version", "iat", "announced", "taken"),
    [
        (Mark(), "a", 5, None, True),
        (A, "a", 130, None, True),  # signed again
        (A, "b", 101, None, True),
        (A, "b", 100, None, True),  # changed within the second
        (A, "b", 99, None, False),
        (A, "b", 99, "b", True),  # of a control plane whose clock is behind
        (A, "b", 40, "b", True),
        (A, "b", 39, "b", False),
        (A, "b", 99, "c", False),
        (B, "a", 100, None, False),  # replayed
        (B, "a", 129, "a", False),  # replayed, and announced by whoever replays it
        (B, "a", 130, "a", True),  # signed again in that second, and announced
        (B, "a", 131, None, False),  # by a control plane that has not seen the change
        (B, "a", 131, "a", True),  # changed back
        (B, "a", 140, None, False),
        (B, "a", 141, None, True),  # changed back while the node was off
        (B.after(bundle("b", 300)), "a", 301, None, True),  # long after
        (B.after(bundle("b", 300)), "a", 299, None, False),
    ],
)
def test_what_may_follow(
    mark: Mark, version: str, iat: int, announced: str | None, taken: bool
) -> None:
    assert follows(bundle(version, iat), mark, announced) == taken


def test_the_same_again_is_no_downgrade_and_nothing_new() -> None:
    assert is_old_news(bundle("a", 100), A)
    assert is_old_news(bundle("a", 99), A)
    assert not is_old_news(bundle("a", 101), A)
    assert not is_old_news(bundle("b", 99), A)


STEPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 200), st.booleans()), max_size=20
)


@given(STEPS)
def test_however_bundles_come_the_mark_never_falls_and_little_is_remembered(
    steps: list[tuple[str, int, bool]],
) -> None:
    mark, replaced_at = Mark(), dict[str, int]()
    for version, iat, announced in steps:
        one = bundle(version, iat)
        if not follows(one, mark, version if announced else None):
            continue
        after = mark.after(one)
        assert after.iat == max(mark.iat, iat)
        assert iat >= mark.iat - SKEW_S or version == mark.version
        if version != mark.version:
            assert iat >= replaced_at.get(version, 0)  # it comes back signed anew only
            replaced_at[mark.version] = after.iat
        mark = after


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_time_that_was_seen_stays(first_s: float, then_s: float) -> None:
    assert Mark().at(first_s).at(then_s).seen_s == max(first_s, then_s)
