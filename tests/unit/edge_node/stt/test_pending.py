"""Audio waits in order, however it came."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.pending import Pending


@given(pieces=st.lists(st.lists(st.integers(-9, 9), max_size=9), max_size=9))
def test_windows_overlap_by_their_context(pieces: list[list[int]]) -> None:
    pending = Pending(np.zeros(3, np.float32))
    whole = [0, 0, 0] + [sample for piece in pieces for sample in piece]
    for piece in pieces:
        pending.append(np.array(piece, np.float32))
    for at in range(0, len(whole) - 7, 4):
        assert pending.take(7, 4).tolist() == whole[at : at + 7]


def test_what_is_no_number_becomes_silence_or_the_rails() -> None:
    pending = Pending(np.zeros(0, np.float32))
    pending.append(np.array([np.nan, np.inf, -np.inf, 0.5], np.float32))
    assert pending.all().tolist() == [0.0, 1.0, -1.0, 0.5]


def test_huge_samples_are_numbers_too() -> None:
    """Their sum would be infinite in float32."""
    huge = np.full(4, 3e38, np.float32)
    pending = Pending(np.zeros(0, np.float32))
    pending.append(huge)
    assert np.array_equal(pending.all(), huge)
