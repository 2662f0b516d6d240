"""What is written down has one form, the same for the node and for the verifier."""

import json

from hypothesis import given
from hypothesis import strategies as st

from control_plane.ledger import verify
from shared.ledger.canonical import canonical

VALUES = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=9,
)


@given(VALUES)
def test_node_and_verifier_write_alike(value: object) -> None:
    assert canonical(value) == verify.canonical(value)
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 3)))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)
