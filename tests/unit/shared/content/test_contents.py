"""What lies in several stores is shown as one, each thing once."""

from hypothesis import given
from hypothesis import strategies as st

from shared import subjects
from shared.content.contents import KeptSession, merged, sessions_in
from shared.content.records import KeptFinal


def final(seq: int, at_ms: int = 0, node: str = "n") -> KeptFinal:
    return KeptFinal(
        "s", seq, str(seq), (), 0, 0, 8000, "endpoint", at_ms, "t", None, "en", node, "r", "p", "v"
    )  # fmt: skip


def test_a_session_is_one_wherever_it_lies() -> None:
    one = subjects.kept("r-1", "n", "s1", "transcripts")
    two = subjects.kept("r-2", "m", "s0", "recovery")
    counts = {
        "r-1": {one: 3, subjects.deleted("s9"): 1},
        "r-2": {one: 2, two: 1, "hv.content.short": 1},
    }
    assert sessions_in(counts) == [
        KeptSession("s0", "m", "r-2", "recovery", {"r-2": 1}),
        KeptSession("s1", "n", "r-1", "transcripts", {"r-1": 3, "r-2": 2}),
    ]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.sampled_from("ab"))))
def test_finals_come_once_and_in_order(spoken: list[tuple[int, int, str]]) -> None:
    """However often and in whatever order they were found; a moved session has two nodes."""
    found = merged([final(seq, at_ms, node) for seq, at_ms, node in spoken])
    assert [one.seq for one in found] == sorted({seq for seq, _, _ in spoken})
    for one in found:
        assert one.at_ms == max(at_ms for seq, at_ms, _ in spoken if seq == one.seq)
