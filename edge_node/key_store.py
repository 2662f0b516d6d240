"""The keys file: read, written whole or not at all, read again when it changes."""

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge_node.keys import Keyring, KeysUnreadable, decode_keys, encode_keys
from shared.files import write_private
from shared.keys import KEY_BYTES, make_key

_log = logging.getLogger(__name__)


class KeyStore:
    """The node's callers, as state_dir/keys.json has them now."""

    def __init__(self, path: Path) -> None:
        """Raises KeysUnreadable, OSError."""
        self.path = path
        self._seen = _stamp(path)
        self.keyring = _read(path)

    def knows(self, key: str) -> bool:
        """Whether a key is a caller's."""
        return self.keyring.knows(key)

    def add(self, name: str) -> str:
        """Makes a key, keeps its hash, and returns it: the only time it is seen.

        Raises:
            KeyNameTaken: there is one of that name.
            OSError: the file cannot be written.
        """
        key = make_key(secrets.token_bytes(KEY_BYTES))
        created = datetime.now(UTC).isoformat(timespec="seconds")
        self._change(lambda keyring: keyring.added(name, key, created))
        return key

    def revoke(self, name: str) -> None:
        """Forgets a key; a running node follows within seconds. Raises UnknownKeyName, OSError."""
        self._change(lambda keyring: keyring.revoked(name))

    def tick(self) -> None:
        """Takes over what another process wrote; keeps the last good keys if it is not readable."""
        stamp = _stamp(self.path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self.keyring = _read(self.path)
        except (KeysUnreadable, OSError) as error:
            _log.error("keys file not taken over: %s", error)

    def _change(self, change: Callable[[Keyring], Keyring]) -> None:
        self.keyring = change(_read(self.path))
        write_private(self.path, encode_keys(self.keyring))
        self._seen = _stamp(self.path)


def _read(path: Path) -> Keyring:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Keyring()
    try:
        return decode_keys(data)
    except KeysUnreadable as error:
        raise KeysUnreadable(f"{path}: {error}; remedy: restore it, or remove it") from error


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever a file is replaced."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
