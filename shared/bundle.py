"""The signed bundle: lets a node admit callers with the centre dark, for as long as it is valid.

An EdDSA JSON Web Token like a ticket, of another issuer, so that one never passes for the other. It
fails closed: a node counts it as expired SKEW_S before it is.
"""

from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import VoiceError
from shared.exchange import Bundle

ISSUER = "heliovox-control/bundle"
SKEW_S = 60.0
"""How far the clocks of centre and node may be apart."""
_ALGORITHM = "EdDSA"
_TIMES_ARE_HANDED_IN = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "iss"]}


class BundleRefused(VoiceError):
    """Forged, expired, from the future, or not a bundle: the last good one stays."""

    code = "bundle_refused"


def sign_bundle(bundle: Bundle, key: Ed25519PrivateKey) -> bytes:
    """The bundle as it travels."""
    claims = msgspec.to_builtins(bundle) | {"iss": ISSUER}
    return jwt.encode(claims, key, algorithm=_ALGORITHM).encode("ascii")


SIGNED_FOR_S = 30.0
"""A signed bundle is handed out for so long before it is signed again with a later expiry."""


def verify_bundle(
    token: bytes, key: Ed25519PublicKey, now_s: float, *, even_expired: bool = False
) -> Bundle:
    """What the centre signed.

    Args:
        token: as it travelled.
        key: the centre's.
        now_s: seconds since 1970.
        even_expired: also one that is out of date: kept from better times.

    Raises:
        BundleRefused: not the centre's, expired, or from the future.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            options=_TIMES_ARE_HANDED_IN,  # type: ignore[arg-type]
        )
        bundle = msgspec.convert(claims, Bundle)
    except (jwt.PyJWTError, msgspec.ValidationError) as error:
        raise BundleRefused(
            "not a bundle of this control plane",
            remedy="compare the node's public key file with the control plane's",
        ) from error
    if now_s < bundle.iat - SKEW_S:
        raise BundleRefused(
            f"the bundle is from the future: signed {bundle.iat - now_s:.0f} s after now",
            field="iat",
            value=bundle.iat,
            remedy="set this machine's clock, or the control plane's",
        )
    if not even_expired and now_s > valid_until_s(bundle):
        raise BundleRefused("the bundle has expired", field="exp", value=bundle.exp)
    return bundle


def valid_until_s(bundle: Bundle) -> float:
    """Until when, in seconds since 1970, a node may admit by it."""
    return bundle.exp - SKEW_S
