"""A bundle is good from one issuer, until a minute before it expires."""

from pathlib import Path

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.bundle import (
    LEEWAY_S,
    BundleRefused,
    good_until_s,
    read_public_key,
    sign_bundle,
    verify_bundle,
)
from shared.exchange import Bundle, KeyGrant
from shared.ticket import Ticket, sign_ticket

KEY = Ed25519PrivateKey.generate()
NOW_S = 1_800_000_000.0
BUNDLE = Bundle(
    version="b1",
    policy_version="p1",
    world="regions: {}",
    keys=(KeyGrant("0" * 64, "t-1", ("*",)),),
    in_service=("eu-central",),
    iat=int(NOW_S),
    exp=int(NOW_S) + 86_400,
)


def verified(token: str, now_s: float = NOW_S) -> Bundle:
    return verify_bundle(token, KEY.public_key(), now_s=now_s)


def test_a_bundle_arrives_as_it_was() -> None:
    assert verified(sign_bundle(BUNDLE, KEY)) == BUNDLE


@given(late_s=st.floats(-200_000, 200_000))
def test_it_is_good_from_a_minute_before_it_was_made_to_a_minute_before_its_end(
    late_s: float,
) -> None:
    token, now_s = sign_bundle(BUNDLE, KEY), NOW_S + late_s
    if BUNDLE.iat - LEEWAY_S <= now_s < good_until_s(BUNDLE):
        assert verified(token, now_s) == BUNDLE
    else:
        with pytest.raises(BundleRefused):
            verified(token, now_s)


def test_another_signer_is_refused() -> None:
    with pytest.raises(BundleRefused):
        verified(sign_bundle(BUNDLE, Ed25519PrivateKey.generate()))


def test_a_ticket_is_no_bundle_even_with_a_bundles_claims() -> None:
    ticket = Ticket(
        "s", "r", "n", "b", "recognition", "en", None, "p", "v", "t", "d",
        iat=int(NOW_S), exp=int(NOW_S) + 30,
    )  # fmt: skip
    disguised = jwt.encode(msgspec.to_builtins(BUNDLE), KEY, algorithm="EdDSA")
    for token in (sign_ticket(ticket, KEY), disguised, "", "nonsense"):
        with pytest.raises(BundleRefused):
            verified(token)


def test_the_public_key_comes_from_a_file_or_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "centre.pem"
    public = KEY.public_key()
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert read_public_key(path) == public
    path.write_text("not a key")
    for wrong in (path, tmp_path / "absent.pem"):
        with pytest.raises(BundleRefused, match=wrong.name):
            read_public_key(wrong)
