from hypothesis import given
from hypothesis import strategies as st

from edge_node.protocols.deadlines import Deadlines

ALLOWED_S = 10.0
STEPS = st.lists(
    st.tuples(st.sampled_from(["start", "stop", "expired"]), st.integers(0, 4), st.integers(0, 4)),
    max_size=40,
)


@given(STEPS)
def test_they_are_what_a_plain_table_of_times_says(steps: list[tuple[str, int, int]]) -> None:
    deadlines: Deadlines[int] = Deadlines(ALLOWED_S)
    table: dict[int, float] = {}
    now_s = 0.0
    for what, item, passed_s in steps:
        now_s += passed_s
        if what == "start":
            deadlines.start(item, now_s)
            table[item] = now_s + ALLOWED_S
        elif what == "stop":
            deadlines.stop(item)
            table.pop(item, None)
        else:
            late = {item for item, due_s in table.items() if due_s <= now_s}
            assert set(deadlines.expired(now_s)) == late
            table = {item: due_s for item, due_s in table.items() if item not in late}
        assert len(deadlines) == len(table)
        assert all(item in deadlines for item in table)


def test_the_oldest_goes_first_and_once() -> None:
    deadlines: Deadlines[str] = Deadlines(ALLOWED_S)
    deadlines.start("a", 0.0)
    deadlines.start("b", 1.0)
    deadlines.start("a", 2.0)  # afresh: now the younger one
    assert [deadlines.oldest(), deadlines.oldest(), deadlines.oldest()] == ["b", "a", None]
