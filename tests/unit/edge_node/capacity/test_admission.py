import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.capacity.admission import Admission
from shared.errors import NodeDraining, NodeFull


@given(limit=st.integers(0, 5), steps=st.lists(st.booleans(), max_size=40))
def test_never_more_than_the_limit_and_every_leaver_makes_room(
    limit: int, steps: list[bool]
) -> None:
    admission, seated = Admission("here", limit), 0
    for takes in steps:
        if not takes:
            if seated:
                admission.leave()
                seated -= 1
            continue
        if seated < limit:
            admission.take()
            seated += 1
        else:
            with pytest.raises(NodeFull) as full:
                admission.take()
            assert (full.value.streams, full.value.limit) == (seated, limit)
        assert admission.taken == seated


def test_a_draining_node_takes_nobody() -> None:
    admission = Admission("here", 5)
    admission.draining = True
    with pytest.raises(NodeDraining):
        admission.take()
    assert admission.taken == 0


def test_a_seat_cannot_be_given_back_twice() -> None:
    with pytest.raises(ValueError, match="nobody held"):
        Admission("here", 5).leave()
