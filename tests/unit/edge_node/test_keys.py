import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.keys import (
    KeyNameTaken,
    Keyring,
    KeysUnreadable,
    UnknownKeyName,
    decode_keys,
    encode_keys,
)
from shared.keys import KEY_BYTES, make_key

ENTROPY = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
NOW = "2026-01-01T00:00:00+00:00"


@given(mine=ENTROPY, other=ENTROPY)
def test_a_key_opens_its_own_door_only(mine: bytes, other: bytes) -> None:
    keyring = Keyring().added("me", make_key(mine), NOW)
    assert keyring.who(make_key(mine)) == "me"
    assert keyring.knows(make_key(other)) == (mine == other)


@given(ENTROPY)
def test_a_key_fits_a_header_and_a_subprotocol(entropy: bytes) -> None:
    key = make_key(entropy)
    assert key.isascii()
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_too_little_entropy_makes_no_key() -> None:
    with pytest.raises(ValueError, match="32 are needed"):
        make_key(b"short")


def test_only_a_hash_is_kept() -> None:
    key = make_key(bytes(range(KEY_BYTES)))
    assert key.encode() not in encode_keys(Keyring().added("me", key, NOW))
    assert key.removeprefix("hvk_").encode() not in encode_keys(Keyring().added("me", key, NOW))


def test_names_are_unique_and_known() -> None:
    keyring = Keyring().added("me", "a", NOW)
    with pytest.raises(KeyNameTaken):
        keyring.added("me", "b", NOW)
    with pytest.raises(UnknownKeyName):
        keyring.revoked("you")
    assert not keyring.revoked("me").knows("a")


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), unique_by=lambda kv: kv[0]))
def test_what_is_written_is_read(pairs: list[tuple[str, str]]) -> None:
    keyring = Keyring()
    for name, key in pairs:
        keyring = keyring.added(name, key, NOW)
    assert decode_keys(encode_keys(keyring)) == keyring


@given(st.binary(max_size=60))
def test_any_file_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(KeysUnreadable):
        decode_keys(data)


def test_a_newer_file_is_refused() -> None:
    with pytest.raises(KeysUnreadable, match="version=2"):
        decode_keys(b'{"keys": [], "version": 2}')
