"""The key that tickets and bundles are signed with: made once, its public half beside it."""

import hashlib
import logging
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from shared.files import write_private

_log = logging.getLogger(__name__)


class SigningKeyRefused(ValueError):
    """A file that is not a private Ed25519 key, or one that others may read."""


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file, which is made (0600) where it is absent.

    `<name>.pub.pem` beside it holds the public half, for nodes (`centre.public_key_file`).

    Raises:
        SigningKeyRefused: names the file and the remedy.
        OSError: the file cannot be read or made.
    """
    if not path.exists():
        write_private(path, _private_pem(Ed25519PrivateKey.generate()))
        _log.info("made a signing key: %s", path)
    key = _read(path)
    _write_public(public_key_path(path), key)
    return key


def public_key_path(path: Path) -> Path:
    """Where the public half of a signing key is written."""
    return path.with_name(f"{path.stem}.pub.pem")


def fingerprint(key: Ed25519PrivateKey) -> str:
    """Of its public half, to be compared by people: 12 hex digits.

    `openssl pkey -pubin -in signing.pub.pem -outform DER | sha256sum` begins with the same.
    """
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:12]


def _read(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise SigningKeyRefused(f"{path}: others may read it; remedy: chmod 600, better: a new key")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyRefused(f"{path}: not a private key in PEM; {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyRefused(f"{path}: not an Ed25519 key; remedy: remove it to have one made")
    return key


def _write_public(path: Path, key: Ed25519PrivateKey) -> None:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not (path.exists() and path.read_bytes() == pem):
        write_private(path, pem)
        path.chmod(0o644)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
