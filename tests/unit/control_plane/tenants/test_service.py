import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from control_plane.tenants.changes import KEYS, add_record, new_record, revoke
from control_plane.tenants.service import Tenants
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.errors import Unauthorised

NOW = "2026-01-01T00:00:00+00:00"


@asynccontextmanager
async def running(bus: MemoryBus) -> AsyncIterator[tuple[Tenants, asyncio.Event]]:
    changed = asyncio.Event()

    async def first() -> None: ...

    tenants = Tenants(bus, SystemClock(), first=first, changed=changed.set)
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(tenants.run(ready))
        await ready.wait()
        changed.clear()
        yield tenants, changed
        task.cancel()


def test_a_key_added_or_revoked_anywhere_acts_everywhere() -> None:
    async def go() -> None:
        bus = MemoryBus()
        async with running(bus) as (one, told), running(bus.beside()) as (two, also):
            bucket = bus.kv(KEYS.name)
            await add_record(bucket, new_record("a", "t", ["caller"], ["*"], "x", NOW))
            await asyncio.gather(told.wait(), also.wait())
            assert one.keyring.who("x").name == two.keyring.who("x").name == "a"
            told.clear()
            also.clear()
            await revoke(bucket, "a", NOW)
            await asyncio.gather(told.wait(), also.wait())
            for tenants in (one, two):
                with pytest.raises(Unauthorised):
                    tenants.keyring.who("x")

    asyncio.run(go())


def test_keys_that_were_there_are_known_before_anybody_is_let_in() -> None:
    async def go() -> None:
        bus = MemoryBus()
        await bus.ensure_bucket(KEYS)
        record = new_record("a", "t", ["caller"], ["*"], "x", NOW)
        await add_record(bus.kv(KEYS.name), record)
        async with running(bus.beside()) as (tenants, _):
            assert tenants.loaded
            assert tenants.keyring.who("x") == record

    asyncio.run(go())


def test_a_record_that_is_none_opens_nothing_and_harms_nobody() -> None:
    async def go() -> None:
        bus = MemoryBus()
        async with running(bus) as (tenants, told):
            bucket = bus.kv(KEYS.name)
            await bucket.put("bad", b"{]")
            await add_record(bucket, new_record("a", "t", ["caller"], ["*"], "x", NOW))
            await told.wait()
            assert len(tenants.keyring) == 1

    asyncio.run(go())
