import asyncio
from pathlib import Path

import pytest

from control_plane.tenants.changes import (
    KEYS,
    NameTaken,
    add_record,
    new_key,
    new_record,
    records,
    revoke,
)
from control_plane.tenants.first_keys import make_first_keys
from control_plane.tenants.keys import Keyring
from shared.bus import KeyValues
from shared.bus.memory import MemoryBus
from shared.errors import InvalidMessage, NotFound, Unauthorised

NOW = "2026-01-01T00:00:00+00:00"


async def bucket_of(bus: MemoryBus) -> KeyValues:
    await bus.ensure_bucket(KEYS)
    return bus.kv(KEYS.name)


def test_a_name_is_taken_once_and_again_after_it_was_revoked() -> None:
    async def go() -> None:
        bucket = await bucket_of(MemoryBus())
        first, second = (new_record("a", "t", ["caller"], ["*"], key, NOW) for key in ("x", "y"))
        await add_record(bucket, first)
        with pytest.raises(NameTaken):
            await add_record(bucket, second)
        await revoke(bucket, "a", NOW)
        assert await records(bucket) == ()
        await add_record(bucket, second)
        assert await records(bucket) == (second,)

    asyncio.run(go())


def test_what_is_not_there_cannot_be_revoked() -> None:
    async def go() -> None:
        bucket = await bucket_of(MemoryBus())
        for name in ("a", "no/such name", ""):
            with pytest.raises(NotFound):
                await revoke(bucket, name, NOW)
        await add_record(bucket, new_record("a", "t", ["caller"], ["*"], "x", NOW))
        await revoke(bucket, "a", NOW)
        with pytest.raises(NotFound):
            await revoke(bucket, "a", NOW)

    asyncio.run(go())


@pytest.mark.parametrize(
    ("field", "name", "tenant", "roles", "policies"),
    [
        ("name", "a b", "t", ["caller"], ["*"]),
        ("name", "", "t", ["caller"], ["*"]),
        ("name", "x" * 64, "t", ["caller"], ["*"]),
        ("tenant", "a", "t.t", ["caller"], ["*"]),
        ("roles", "a", "t", ["root"], ["*"]),
        ("roles", "a", "t", [], ["*"]),
        ("policies", "a", "t", ["caller"], []),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(
    field: str, name: str, tenant: str, roles: list[str], policies: list[str]
) -> None:
    with pytest.raises(InvalidMessage) as refused:
        new_record(name, tenant, roles, policies, new_key(), NOW)
    assert refused.value.field == field


def test_the_first_start_makes_one_key_of_each_kind(tmp_path: Path) -> None:
    async def go() -> None:
        bucket = await bucket_of(MemoryBus())
        made = await make_first_keys(bucket, tmp_path, "default", NOW)
        assert [path.name for path in made] == ["caller.key", "operator.key"]
        ring = Keyring(await records(bucket))
        for path in made:
            assert path.stat().st_mode & 0o777 == 0o600
        assert not ring.who(made[0].read_text().strip()).operator
        assert ring.who(made[1].read_text().strip()).operator
        assert await make_first_keys(bucket, tmp_path, "default", NOW) == ()

    asyncio.run(go())


def test_a_revoked_first_key_does_not_come_back_with_the_next_start(tmp_path: Path) -> None:
    async def go() -> None:
        bucket = await bucket_of(MemoryBus())
        made = await make_first_keys(bucket, tmp_path, "default", NOW)
        await revoke(bucket, "caller", NOW)
        await make_first_keys(bucket, tmp_path, "default", NOW)
        with pytest.raises(Unauthorised):
            Keyring(await records(bucket)).who(made[0].read_text().strip())

    asyncio.run(go())


def test_a_hub_that_forgot_everything_learns_the_same_keys_again(tmp_path: Path) -> None:
    async def go() -> None:
        made = await make_first_keys(await bucket_of(MemoryBus()), tmp_path, "default", NOW)
        keys = [path.read_text() for path in made]
        fresh = await bucket_of(MemoryBus())
        made = await make_first_keys(fresh, tmp_path, "default", NOW)
        assert [path.read_text() for path in made] == keys
        assert Keyring(await records(fresh)).who(keys[0].strip()).name == "caller"

    asyncio.run(go())


def test_of_two_planes_that_start_together_one_makes_the_keys(tmp_path: Path) -> None:
    async def go() -> None:
        bus = MemoryBus()
        bucket = await bucket_of(bus)
        folders = [tmp_path / "one", tmp_path / "two"]
        made = await asyncio.gather(
            *(make_first_keys(bucket, folder, "default", NOW) for folder in folders)
        )
        ring = Keyring(await records(bucket))
        files = [path for paths in made for path in paths]
        assert sorted(path.name for path in files) == ["caller.key", "operator.key"]
        for path in [*folders[0].glob("*.key"), *folders[1].glob("*.key")]:
            ring.who(path.read_text().strip())

    asyncio.run(go())
