"""The centre's public key, as a file."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.errors import VoiceError


class PublicKeyRefused(VoiceError):
    """A file that holds no Ed25519 public key. Of operators' concern, never on the wire."""

    code = "public_key_refused"


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The key of a PEM file. Raises PublicKeyRefused, naming the file."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _refused(path, str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _refused(path, "it is not an Ed25519 key")
    return key


def _refused(path: Path, why: str) -> PublicKeyRefused:
    return PublicKeyRefused(
        f"{path}: {why}",
        field="centre.public_key_file",
        value=path,
        remedy="copy the PEM file that the control plane made at its first start",
    )
