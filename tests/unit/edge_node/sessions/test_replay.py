from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.replay import NotKept, Replay


@given(
    data=st.binary(max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    width=st.sampled_from([1, 2]),
    begin=st.integers(0, 30),
    length=st.integers(0, 30),
)
def test_any_cutting_gives_the_same_samples(
    data: bytes, cuts: list[int], width: int, begin: int, length: int
) -> None:
    replay = Replay(width)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    for first, last in pairwise(edges):
        replay.append(data[first:last])
    assert replay.end == len(data) // width
    end = begin + length
    if end > replay.end:
        with pytest.raises(NotKept):
            replay.read(begin, end)
    else:
        assert replay.read(begin, end) == data[begin * width : end * width]


@given(upto=st.integers(0, 10), again=st.integers(0, 10))
def test_released_audio_is_gone_and_the_rest_keeps_its_place(upto: int, again: int) -> None:
    data = bytes(range(20))
    replay = Replay(2)
    replay.append(data)
    replay.release(upto)
    replay.release(again)
    assert replay.start == max(upto, again)
    assert replay.read(replay.start, 10) == data[replay.start * 2 :]
    if replay.start:
        with pytest.raises(NotKept):
            replay.read(replay.start - 1, 10)


def test_audio_that_has_not_come_cannot_be_released() -> None:
    with pytest.raises(NotKept):
        Replay(2).release(1)
