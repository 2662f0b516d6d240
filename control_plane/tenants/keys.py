"""Callers' and operators' keys as the centre knows them: hashes, names, what they permit (pure)."""

import hmac
import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from shared.errors import Forbidden, Unauthorised
from shared.exchange import KeyGrant
from shared.keys import key_digest

Role = Literal["caller", "operator"]
ROLES: tuple[Role, ...] = ("caller", "operator")
ANY_POLICY = "*"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
"""Of keys and tenants: fits a bucket's key as it stands."""


class KeyRecord(msgspec.Struct, frozen=True):
    """A key at rest. A revoked one keeps its name and loses its hash."""

    name: str
    tenant: str
    roles: tuple[Role, ...]
    policies: tuple[str, ...]
    """The first is the default; `*` stands for all."""
    created: str
    """UTC, ISO 8601."""
    sha256: str = ""
    revoked: str | None = None
    """When, or None."""

    @property
    def valid(self) -> bool:
        """Whether it opens anything."""
        return self.revoked is None and bool(self.sha256)

    @property
    def operator(self) -> bool:
        """Whether its holder may do everything."""
        return "operator" in self.roles

    def permits(self, policy: str) -> bool:
        """Whether sessions under a policy may be asked for."""
        return ANY_POLICY in self.policies or policy in self.policies

    def policy(self, asked: str | None, default: str) -> str:
        """The policy that holds: the asked one, else the key's default.

        Args:
            asked: by the caller, or None.
            default: the world's, for a key whose first policy is `*`.

        Raises:
            Forbidden: not permitted to this key.
        """
        first = self.policies[0] if self.policies else default
        name = asked if asked is not None else default if first == ANY_POLICY else first
        if self.permits(name):
            return name
        raise Forbidden(
            f"this key may not ask for policy {name[:64]}",
            field="policy",
            value=name,
            remedy=f"use one of {', '.join(self.policies) or 'none'}",
        )

    def grant(self) -> KeyGrant:
        """What nodes are told of it."""
        return KeyGrant(self.sha256, self.tenant, self.policies)


class Keyring:
    """The keys that are valid now. A key is found by its hash, which no clock can tell from."""

    def __init__(self, records: Iterable[KeyRecord] = ()) -> None:
        self.records = tuple(sorted((r for r in records if r.valid), key=lambda r: r.name))
        self._by_hash = {record.sha256: record for record in self.records}

    def __len__(self) -> int:
        return len(self.records)

    def who(self, key: str) -> KeyRecord:
        """Whose key it is. Raises Unauthorised."""
        digest = key_digest(key)
        record = self._by_hash.get(digest)
        stored = record.sha256 if record is not None else "0" * len(digest)
        if not hmac.compare_digest(stored, digest) or record is None:
            raise Unauthorised(
                "unknown key",
                field="Authorization",
                remedy="send `Authorization: Bearer KEY` with a key that was not revoked",
            )
        return record

    def grants(self) -> tuple[KeyGrant, ...]:
        """What nodes are told: callers' keys and operators', who may speak too."""
        return tuple(record.grant() for record in self.records)


def encode_record(record: KeyRecord) -> bytes:
    """As the bucket holds it."""
    return msgspec.json.encode(record)


def decode_record(data: bytes) -> KeyRecord:
    """The reverse. Raises msgspec.DecodeError."""
    return msgspec.json.decode(data, type=KeyRecord)
