import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.bundle import SKEW_S, BundleRefused, sign_bundle, valid_until_s, verify_bundle
from shared.errors import TicketRefused
from shared.exchange import Bundle, KeyGrant
from shared.ticket import Ticket, sign_ticket, verify_ticket

KEY = Ed25519PrivateKey.generate()
BUNDLE = Bundle(
    "b1", "w1", "regions: {}\n", (KeyGrant("ab", "t", ("*",)),), ("eu-west",), 1_000, 9_000
)


def test_what_was_signed_is_read() -> None:
    read = verify_bundle(sign_bundle(BUNDLE, KEY), KEY.public_key(), 1_000)
    assert msgspec.structs.replace(read, iss=BUNDLE.iss) == BUNDLE


@pytest.mark.parametrize("now_s", [1_000 - SKEW_S, valid_until_s(BUNDLE)])
def test_it_is_good_up_to_its_edges(now_s: float) -> None:
    assert verify_bundle(sign_bundle(BUNDLE, KEY), KEY.public_key(), now_s).version == "b1"


@pytest.mark.parametrize(
    ("now_s", "field"), [(1_000 - SKEW_S - 1, "iat"), (valid_until_s(BUNDLE) + 1, "exp")]
)
def test_it_is_good_only_for_a_while(now_s: float, field: str) -> None:
    with pytest.raises(BundleRefused) as refused:
        verify_bundle(sign_bundle(BUNDLE, KEY), KEY.public_key(), now_s)
    assert refused.value.field == field


def test_another_centres_bundle_is_none() -> None:
    token = sign_bundle(BUNDLE, Ed25519PrivateKey.generate())
    with pytest.raises(BundleRefused):
        verify_bundle(token, KEY.public_key(), 1_000)


def test_something_else_that_the_centre_signed_is_no_bundle() -> None:
    token = jwt.encode({"iss": "heliovox-control/bundle", "iat": 1, "exp": 9}, KEY, "EdDSA")
    with pytest.raises(BundleRefused):
        verify_bundle(token.encode(), KEY.public_key(), 5)


def test_a_ticket_is_no_bundle_and_a_bundle_no_ticket() -> None:
    """Both are signed with one key."""
    ticket = Ticket("s", "r", "n", "b", "recognition", "en", None, "p", "v", "t", "d", 1_000, 9_000)
    with pytest.raises(BundleRefused):
        verify_bundle(sign_ticket(ticket, KEY).encode(), KEY.public_key(), 1_000)
    token = sign_bundle(BUNDLE, KEY).decode()
    with pytest.raises(TicketRefused):
        verify_ticket(token, KEY.public_key(), node="n", boot="b", now_s=1_000)
