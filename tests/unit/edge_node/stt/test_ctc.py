"""Greedy CTC against its definition."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_node.stt.ctc import greedy

BLANK = 2
PATHS = st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=4)


def scores(paths: list[list[int]]) -> NDArray[np.float32]:
    """Log-probabilities whose best path is given: 0.7 for it, 0.1 for each other symbol."""
    shape = (len(paths), len(paths[0]), 4)
    logprobs = np.full(shape, np.log(0.1), np.float32)
    for stream, path in enumerate(paths):
        logprobs[stream, range(len(path)), path] = np.log(0.7)
    return logprobs


@given(paths=PATHS)
def test_repeats_fall_together_and_blanks_fall_out(paths: list[list[int]]) -> None:
    emitted, last = greedy(scores(paths), [BLANK] * len(paths), BLANK)
    for path, heard, end in zip(paths, emitted, last, strict=True):
        assert [one.symbol for one in heard] == [s for s, _ in groupby(path) if s != BLANK]
        assert [path[one.frame] for one in heard] == [one.symbol for one in heard]
        assert all(abs(one.probability - 0.7) < 1e-6 for one in heard)
        assert end == path[-1]


@given(paths=PATHS, cut=st.integers(1, 5))
def test_a_chunk_boundary_changes_nothing(paths: list[list[int]], cut: int) -> None:
    whole = scores(paths)
    start = [BLANK] * len(paths)
    first, last = greedy(whole[:, :cut], start, BLANK)
    second, _ = greedy(whole[:, cut:], last, BLANK)
    together, _ = greedy(whole, start, BLANK)
    for parts, wanted in zip(zip(first, second, strict=True), together, strict=True):
        heard = [(one.symbol, one.frame) for one in parts[0]]
        heard += [(one.symbol, one.frame + cut) for one in parts[1]]
        assert heard == [(one.symbol, one.frame) for one in wanted]
