"""`heliovox-control keys`: works on the bucket, so every control plane follows at once."""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable

from control_plane.settings import ControlSettings
from control_plane.tenants.changes import (
    KEYS,
    add_record,
    new_key,
    new_record,
    records,
    revoke,
)
from shared.bus import KeyValues
from shared.bus.nats_bus import NatsBus
from shared.clock import now_iso

Work = Callable[[KeyValues, argparse.Namespace], Awaitable[None]]
DEFAULT_POLICIES = ("*",)


async def on_the_bus(settings: ControlSettings, options: argparse.Namespace, work: Work) -> None:
    """Does some work on the bucket of keys, as this control plane. Raises VoiceError."""
    bus = await NatsBus.connect(
        settings.bus.url,
        settings.bus.seed_file,
        name=f"{settings.plane_id}-keys",
        inbox_prefix=f"_INBOX.{settings.plane_id}",
    )
    try:
        await bus.ensure_bucket(KEYS)
        await work(bus.kv(KEYS.name), options)
    finally:
        await bus.close()


async def add(bucket: KeyValues, options: argparse.Namespace) -> None:
    """Makes a key and shows it, the only time."""
    key, policies = new_key(), options.policy or DEFAULT_POLICIES
    tenant = options.tenant or options.name
    record = new_record(options.name, tenant, [options.role], policies, key, now_iso())
    await add_record(bucket, record)
    say(json.dumps({"name": record.name, "key": key}) if options.json else key)


async def listed(bucket: KeyValues, options: argparse.Namespace) -> None:
    """Names, dates and what is permitted; never a hash."""
    for record in await records(bucket):
        known = {
            "name": record.name,
            "tenant": record.tenant,
            "roles": list(record.roles),
            "policies": list(record.policies),
            "created": record.created,
        }
        roles, policies = ",".join(record.roles), ",".join(record.policies)
        row = f"{record.created}  {record.name}  {record.tenant}  {roles}  {policies}"
        say(json.dumps(known) if options.json else row)


async def revoked(bucket: KeyValues, options: argparse.Namespace) -> None:
    """Forgets a key."""
    await revoke(bucket, options.name, now_iso())
    if options.json:
        say(json.dumps({"revoked": options.name}))


def say(line: str) -> None:
    """A line on standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
