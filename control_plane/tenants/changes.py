"""Keys made, listed and revoked in the bucket; every control plane that watches it follows."""

import secrets
from collections.abc import Sequence

import msgspec

from control_plane.tenants.keys import NAME, ROLES, KeyRecord, Role, decode_record, encode_record
from shared.bus import Bucket, KeyValues
from shared.errors import InvalidMessage, NotFound, TooBig
from shared.keys import KEY_BYTES, key_digest, make_key

KEYS = Bucket("KEYS", max_bytes=16 * 1024 * 1024)
"""Names to records, some 300 bytes each."""
MOST_KEYS = 4000
"""Every key travels to every node in one message of the bus, which holds 1 MiB."""


class NameTaken(InvalidMessage):
    """A second key of one name."""

    code = "name_taken"


def new_key() -> str:
    """A key nobody can guess."""
    return make_key(secrets.token_bytes(KEY_BYTES))


def new_record(
    name: str, tenant: str, roles: Sequence[str], policies: Sequence[str], key: str, created: str
) -> KeyRecord:
    """What is kept of a key. Raises InvalidMessage."""
    for field, value in (("name", name), ("tenant", tenant)):
        if not NAME.fullmatch(value):
            raise InvalidMessage(
                f"{field} cannot be {value[:64]!r}",
                field=field,
                value=value,
                remedy="use letters, digits, - and _, 63 at most",
            )
    known: tuple[Role, ...] = tuple(role for role in ROLES if role in roles)
    if not known or len(known) != len(set(roles)):
        raise InvalidMessage(
            "unknown role", field="roles", value=",".join(roles), remedy="use caller or operator"
        )
    if not policies:
        raise InvalidMessage("a key permits something", field="policies", remedy="name one, or *")
    return KeyRecord(name, tenant, known, tuple(policies), created, key_digest(key))


async def add_record(bucket: KeyValues, record: KeyRecord) -> None:
    """Keeps a new key. Of several who take one name, one succeeds.

    Raises NameTaken, TooBig, BusFailed.
    """
    if len(await bucket.keys()) >= MOST_KEYS:
        raise TooBig(
            f"there are {MOST_KEYS} keys", field="name", remedy="share a key within a tenant"
        )
    data = encode_record(record)
    if await bucket.create(record.name, data) is not None:
        return
    there = await bucket.get(record.name)
    revoked = there is not None and there.value is not None and not decode_record(there.value).valid
    if revoked and there is not None and await bucket.update(record.name, data, there.revision):
        return
    raise NameTaken(
        f"there is a key named {record.name}",
        field="name",
        value=record.name,
        remedy="revoke it first, or use another name",
    )


async def revoke(bucket: KeyValues, name: str, now: str) -> None:
    """Forgets a key's hash. The name stays, so that no start makes the key again.

    Raises NotFound, BusFailed.
    """
    there = await bucket.get(name) if NAME.fullmatch(name) else None
    record = decode_record(there.value) if there is not None and there.value is not None else None
    if record is None or not record.valid:
        raise NotFound(
            f"there is no key named {name[:64]}",
            field="name",
            value=name,
            remedy="see `heliovox-control keys list`",
        )
    gone = msgspec.structs.replace(record, sha256="", revoked=now)
    await bucket.put(name, encode_record(gone))


async def records(bucket: KeyValues) -> tuple[KeyRecord, ...]:
    """The valid ones, by name. Raises BusFailed."""
    found = []
    for name in await bucket.keys():
        entry = await bucket.get(name)
        if entry is not None and entry.value is not None:
            found.append(decode_record(entry.value))
    return tuple(record for record in found if record.valid)
