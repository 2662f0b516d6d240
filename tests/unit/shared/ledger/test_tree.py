"""The tree against RFC 6962 as it is written there."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.canonical import leaf_hash
from shared.ledger.tree import Frontier


def by_the_rfc(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + by_the_rfc(leaves[:half]) + by_the_rfc(leaves[half:])).digest()


@given(st.lists(st.binary(max_size=3), max_size=40))
def test_the_root_is_the_rfcs(leaves: list[bytes]) -> None:
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    assert tree.root() == by_the_rfc(leaves)
    assert tree.size == len(leaves)


@given(st.lists(st.binary(max_size=3), max_size=40), st.data())
def test_a_tree_goes_on_from_its_right_edge(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves)))
    first = Frontier()
    for leaf in leaves[:at]:
        first.append(leaf_hash(leaf))
    second = Frontier(first.size, first.peaks)
    for leaf in leaves[at:]:
        second.append(leaf_hash(leaf))
    assert second.root() == by_the_rfc(leaves)


def test_peaks_that_do_not_fit_a_size_are_refused() -> None:
    with pytest.raises(ValueError, match="a tree of 3 has 2 peaks"):
        Frontier(3, [bytes(32)])
