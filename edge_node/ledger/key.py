"""The key that a node signs the heads of its ledger with: made once, its owner's alone."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.errors import VoiceError
from shared.files import write_private


class LedgerKeyRefused(VoiceError):
    """A file that is no key, or one that others may read. Of operators' concern."""

    code = "ledger_key_refused"


def ledger_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file, which is made (0600) where it is absent.

    Raises:
        LedgerKeyRefused: names the file and the remedy.
        OSError: the file cannot be read or made.
    """
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem)
        return made
    if path.stat().st_mode & 0o077:
        raise _refused(path, "others may read it", "move the folder away: a new ledger begins")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _refused(path, "it is not a private key", "restore it from a copy") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _refused(path, "it is not an Ed25519 key", "restore it from a copy")
    return key


def _refused(path: Path, why: str, remedy: str) -> LedgerKeyRefused:
    return LedgerKeyRefused(f"{path}: {why}", field="ledger.key", value=path, remedy=remedy)
