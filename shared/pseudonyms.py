"""Callers' ids as metadata may carry them: a pseudonym that only the region can make.

The same caller of one tenant has the same pseudonym in all sessions of a region, and another one in
every other region and for every other tenant. Who has no key learns nothing from it, not even by
trying all telephone numbers.
"""

import hmac
import secrets
import stat
from hashlib import sha256
from pathlib import Path

from shared.errors import VoiceError
from shared.files import write_private

KEY_BYTES = 32
_HEX_DIGITS = 32
"""128 bits: no two callers have the same by chance."""


class PseudonymKeyRefused(VoiceError):
    """A key file that is absent, unreadable, open to others, or holds no key."""

    code = "pseudonym_key_refused"


class PseudonymKey:
    """A region's secret. It shows itself to nobody, and stays in the region."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of pseudonyms has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key

    def __repr__(self) -> str:
        return "PseudonymKey()"

    def pseudonym(self, tenant: str, caller: str) -> str:
        """32 hex digits: HMAC-SHA256 over both, halved.

        Args:
            tenant: whose caller it is; a name without a zero byte in it.
            caller: the id as it was given.
        """
        said = tenant.encode() + b"\0" + caller.encode()
        return hmac.new(self._key, said, sha256).hexdigest()[:_HEX_DIGITS]


def ensure_pseudonym_key(path: Path) -> PseudonymKey:
    """The key of a file; a fresh one is written first, for its owner alone, where there is none.

    Raises PseudonymKeyRefused, OSError.
    """
    if not path.exists():
        write_private(path, secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
    return read_pseudonym_key(path)


def read_pseudonym_key(path: Path) -> PseudonymKey:
    """The key of a file. Raises PseudonymKeyRefused."""
    try:
        if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            raise _refused(path, f"can be read by others (mode {mode:o})", f"chmod 600 {path}")
        return PseudonymKey(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _refused(path, why, "copy the region's own, or name another file") from None
    except ValueError:
        remedy = f"write {2 * KEY_BYTES} hex digits into it, such as `openssl rand -hex 32` makes"
        raise _refused(path, "holds no key", remedy) from None


def _refused(path: Path, why: str, remedy: str) -> PseudonymKeyRefused:
    return PseudonymKeyRefused(
        f"the key file of pseudonyms {path} {why}",
        field="content.pseudonym_key_file",
        value=path,
        remedy=remedy,
    )
