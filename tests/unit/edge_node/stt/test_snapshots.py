"""What is sealed comes back whole or not at all."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_node.stt.scripted import DEFAULT_PROFILE
from edge_node.stt.snapshots import seal, unseal
from shared.errors import SnapshotRefused


@given(body=st.binary(), sample=st.integers(0, 2**40))
def test_the_body_comes_back(body: bytes, sample: int) -> None:
    snapshot = seal(DEFAULT_PROFILE, 3, sample, body)
    assert unseal(DEFAULT_PROFILE, 3, snapshot) == body
    assert snapshot.sample == sample


@given(body=st.binary(max_size=40), data=st.data())
def test_one_wrong_byte_is_refused(body: bytes, data: st.DataObject) -> None:
    snapshot = seal(DEFAULT_PROFILE, 1, 0, body)
    at = data.draw(st.integers(0, len(snapshot.state) - 1))
    wrong = data.draw(st.integers(0, 255))
    assume(wrong != snapshot.state[at])
    state = snapshot.state[:at] + bytes([wrong]) + snapshot.state[at + 1 :]
    with pytest.raises(SnapshotRefused):
        unseal(DEFAULT_PROFILE, 1, replace(snapshot, state=state))


@given(state=st.binary(max_size=64))
def test_any_bytes_are_refused_in_words(state: bytes) -> None:
    snapshot = replace(seal(DEFAULT_PROFILE, 1, 0, b"x"), state=state)
    with pytest.raises(SnapshotRefused) as caught:
        unseal(DEFAULT_PROFILE, 1, snapshot)
    assert caught.value.field == "state"
    assert caught.value.remedy
