import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.waiting import MOST_BYTES, Waiting
from shared.errors import TooBig


@given(sizes=st.lists(st.integers(0, MOST_BYTES), max_size=20))
def test_messages_are_let_go_in_order_and_only_so_many_are_held(sizes: list[int]) -> None:
    waiting, out, held = Waiting(), list[int](), list[int]()
    for number, size in enumerate(sizes):
        try:
            waiting.hold(lambda number=number: out.append(number), size)  # type: ignore[misc]
        except TooBig:
            break
        held.append(number)
    assert sum(sizes[number] for number in held) <= MOST_BYTES
    waiting.let_go()
    assert out == held


def test_empty_messages_are_not_free() -> None:
    def flood() -> None:
        waiting = Waiting()
        for _ in range(MOST_BYTES):
            waiting.hold(lambda: None, 0)

    with pytest.raises(TooBig):
        flood()
