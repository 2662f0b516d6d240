"""Forced alignment finds where tokens were said."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.stt.alignment import forced, quietest

BLANK = 4


def spoken(path: list[int]) -> np.ndarray:
    """Log-probabilities of a network that is nearly sure of this path."""
    scores = np.full((len(path), BLANK + 1), -6.0, np.float32)
    scores[np.arange(len(path)), path] = -0.1
    return scores


def test_each_token_is_found_where_it_begins() -> None:
    path = [BLANK, 1, 1, BLANK, 2, BLANK, 3, 3]
    assert forced(spoken(path), [1, 2, 3], BLANK) == [1, 4, 6]


def test_equal_tokens_need_a_blank_between() -> None:
    assert forced(spoken([1, BLANK, 1]), [1, 1], BLANK) == [0, 2]
    assert forced(spoken([1, 1]), [1, 1], BLANK) is None


@given(tokens=st.lists(st.integers(0, BLANK - 1), max_size=5), seed=st.integers(0, 1000))
def test_any_text_that_fits_is_aligned_in_order(tokens: list[int], seed: int) -> None:
    """Also where the network heard something else."""
    rng = np.random.default_rng(seed)
    scores = np.log(rng.dirichlet(np.ones(BLANK + 1), size=2 * len(tokens) + 1)).astype(np.float32)
    found = forced(scores, tokens, BLANK)
    assert found is not None
    assert len(found) == len(tokens)
    assert all(a < b for a, b in pairwise(found))


def test_too_little_sound_aligns_with_nothing() -> None:
    assert forced(spoken([1]), [1, 2], BLANK) is None


def test_the_quietest_place_lies_between_its_limits() -> None:
    energy = np.array([0, 5, 4, 1, 6, 0], np.float32)
    assert quietest(energy, 1, 5) == 3
    assert quietest(energy, 3, 3) == 3
