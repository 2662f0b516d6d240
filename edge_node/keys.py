"""Callers' keys: only their hashes are kept, and comparing takes the same time for all (pure)."""

import hmac
from dataclasses import dataclass, replace

import msgspec

from shared.keys import key_digest


class StoredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key at rest."""

    name: str
    sha256: str
    created: str
    """UTC, ISO 8601."""


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What keys.json holds."""

    keys: tuple[StoredKey, ...] = ()
    version: int = 1


class KeysUnreadable(ValueError):
    """A keys file that is not one."""


class KeyNameTaken(ValueError):
    """A second key of the same name."""


class UnknownKeyName(ValueError):
    """No key of that name."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The callers a node knows."""

    keys: tuple[StoredKey, ...] = ()

    def who(self, key: str) -> str | None:
        """The name of a key's owner, or None. Looks at every key, found or not."""
        digest = key_digest(key)
        found: str | None = None
        for stored in self.keys:
            if hmac.compare_digest(stored.sha256, digest):
                found = stored.name
        return found

    def knows(self, key: str) -> bool:
        """Whether a key is a caller's."""
        return self.who(key) is not None

    def added(self, name: str, key: str, created: str) -> "Keyring":
        """The keyring with one more. Raises KeyNameTaken."""
        if any(stored.name == name for stored in self.keys):
            raise KeyNameTaken(f"name={name!r} is taken: revoke it first, or use another")
        return replace(self, keys=(*self.keys, StoredKey(name, key_digest(key), created)))

    def revoked(self, name: str) -> "Keyring":
        """The keyring without `name`. Raises UnknownKeyName."""
        left = tuple(stored for stored in self.keys if stored.name != name)
        if len(left) == len(self.keys):
            raise UnknownKeyName(f"name={name!r} is unknown: see `heliovox-edge keys list`")
        return replace(self, keys=left)


def encode_keys(keyring: Keyring) -> bytes:
    """The keyring as a file holds it."""
    return msgspec.json.format(msgspec.json.encode(KeyFile(keyring.keys))) + b"\n"


def decode_keys(data: bytes) -> Keyring:
    """The reverse. Raises KeysUnreadable."""
    try:
        stored = msgspec.json.decode(data, type=KeyFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeysUnreadable(str(error)) from error
    if stored.version != 1:
        raise KeysUnreadable(f"version={stored.version} is newer than this node")
    return Keyring(stored.keys)
