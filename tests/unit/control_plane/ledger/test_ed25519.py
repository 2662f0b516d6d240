"""The verifier's own Ed25519, against the vectors of RFC 8032 and against a library."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.ledger.verify import L, ed25519

RFC_8032 = {
    "1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "sha(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


@pytest.mark.parametrize("name", RFC_8032)
def test_the_vectors_of_the_rfc_are_good(name: str) -> None:
    key, message, signature = map(bytes.fromhex, RFC_8032[name])
    assert ed25519(key, message, signature)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=99), data=st.data())
@settings(max_examples=15)
def test_it_agrees_with_the_library(seed: bytes, message: bytes, data: st.DataObject) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519(key, message, signature)
    at, bit = data.draw(st.integers(0, 63)), data.draw(st.integers(0, 7))
    bad = bytearray(signature)
    bad[at] ^= 1 << bit
    assert not ed25519(key, message, bytes(bad))
    assert not ed25519(key, message + b"x", signature)


def test_a_signature_has_one_form() -> None:
    key, message, signature = map(bytes.fromhex, RFC_8032["2"])
    s = int.from_bytes(signature[32:], "little") + L
    assert not ed25519(key, message, signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "key", [b"", b"\xff" * 32, bytes(31), (2).to_bytes(32, "little")], ids=repr
)
def test_what_is_no_key_signs_nothing(key: bytes) -> None:
    assert not ed25519(key, b"", bytes(64))
