"""The policy bundle as it travels: an EdDSA JSON Web Token of `shared.exchange.Bundle`.

Its `typ` tells it from a ticket, which the same key signs. It fails closed: a node admits by it
only until LEEWAY_S before it expires, so that a clock that is late by as much changes nothing.
"""

from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.errors import VoiceError
from shared.exchange import Bundle
from shared.ticket import ISSUER, LEEWAY_S

TYPE = "heliovox-bundle+jwt"
_ALGORITHM = "EdDSA"


class BundleRefused(VoiceError):
    """A bundle that is forged, expired, or none. Of operators' concern, never on the wire."""

    code = "bundle_refused"


def sign_bundle(bundle: Bundle, key: Ed25519PrivateKey) -> str:
    """The bundle as it travels."""
    return jwt.encode(msgspec.to_builtins(bundle), key, algorithm=_ALGORITHM, headers={"typ": TYPE})


def good_until_s(bundle: Bundle) -> float:
    """Seconds since 1970 up to which a node may admit by it."""
    return bundle.exp - LEEWAY_S


def verify_bundle(token: str, key: Ed25519PublicKey, *, now_s: float) -> Bundle:
    """The bundle that a token carries.

    Args:
        token: as it came, or as it was kept.
        key: the centre's.
        now_s: seconds since 1970.

    Raises:
        BundleRefused: forged, no bundle, from the future, or no longer good.
    """
    bundle = _bundle(_claims(token, key))
    if now_s >= good_until_s(bundle):
        raise _refused("the bundle is no longer good", "exp", bundle.exp)
    if now_s < bundle.iat - LEEWAY_S:
        raise _refused("the bundle is from the future", "iat", bundle.iat)
    return bundle


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The centre's public key from a PEM file. Raises BundleRefused where it is none."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _key_refused(path, str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _key_refused(path, "not an Ed25519 key")
    return key


def _claims(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "iss"]}
    try:
        decoded = jwt.decode_complete(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            options=options,  # type: ignore[arg-type]  # times are judged on a clock handed in
        )
    except jwt.PyJWTError as error:
        raise _refused("not signed by this control plane", "bundle", None) from error
    if decoded["header"].get("typ") != TYPE:
        raise _refused("a token of another type", "typ", decoded["header"].get("typ"))
    claims: dict[str, Any] = decoded["payload"]
    return claims


def _bundle(claims: dict[str, Any]) -> Bundle:
    try:
        return msgspec.convert(claims, Bundle)
    except msgspec.ValidationError as error:
        raise _refused(f"not a bundle: {error}", "bundle", None) from error


def _refused(message: str, field: str, value: object) -> BundleRefused:
    return BundleRefused(
        message, field=field, value=value, remedy="the control plane hands out a new one"
    )


def _key_refused(path: Path, why: str) -> BundleRefused:
    return BundleRefused(
        f"{path.name}: {why}",
        field="public_key_file",
        value=path,
        remedy="copy the PEM file that the control plane made at its first start",
    )
