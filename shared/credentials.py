"""Who connects to the bus: nkeys. The seed is the secret; the public key stands in configurations.

A seed lives in a file that its owner alone can read, and goes nowhere else: not into arguments, not
into logs, not into errors.
"""

import secrets
import stat
from pathlib import Path

import nkeys

from shared.errors import VoiceError
from shared.files import write_private


class CredentialsRefused(VoiceError):
    """A seed file that is absent, unreadable, open to others, or holds no seed of a user."""

    code = "credentials_refused"


class Seed:
    """The secret half. Shows itself as `Seed(<public key>)` and never otherwise."""

    def __init__(self, text: str) -> None:
        """Raises ValueError where `text` is no seed of a user; the text is not in the message."""
        try:
            prefix, raw = nkeys.decode_seed(bytearray(text.encode()))
            sound = nkeys.encode_seed(raw, prefix).decode() == text  # its checksum fits
            self.public_key: str = nkeys.from_seed(bytearray(text.encode())).public_key.decode()
        except (nkeys.NkeysError, ValueError):
            raise ValueError("not a seed") from None
        if not sound or prefix != nkeys.PREFIX_BYTE_USER:
            raise ValueError("not a user's seed, or mistyped")
        self._text = text

    def __repr__(self) -> str:
        return f"Seed({self.public_key})"

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def sign(self, data: bytes) -> bytes:
        """Ed25519, 64 bytes."""
        signature: bytes = nkeys.from_seed(bytearray(self._text.encode())).sign(data)
        return signature


def new_seed() -> Seed:
    """A fresh identity, from 256 random bits."""
    raw = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    return Seed(raw.decode())


def write_seed(path: Path, seed: Seed) -> None:
    """Readable by the owner alone. Raises OSError."""
    write_private(path, seed.reveal().encode() + b"\n")


def read_seed(path: Path) -> Seed:
    """The seed of a file. Raises CredentialsRefused."""
    try:
        if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            raise _refused(path, f"can be read by others (mode {mode:o})", f"chmod 600 {path}")
        return Seed(path.read_text(encoding="ascii").strip())
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _refused(path, why, "make it anew, or name another file") from None
    except ValueError:
        raise _refused(path, "holds no user seed of NATS", "a seed begins with SU") from None


def ensure_seed(path: Path) -> Seed:
    """Likewise; a fresh one is written first where there is no file. Raises OSError as well."""
    if not path.exists():
        write_seed(path, new_seed())
    return read_seed(path)


def _refused(path: Path, why: str, remedy: str) -> CredentialsRefused:
    return CredentialsRefused(
        f"the seed file {path} {why}", field="bus.seed_file", value=path, remedy=remedy
    )
