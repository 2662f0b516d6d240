"""Connections of everybody whom servers know, and what it takes to see one denied."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.bus import Bucket
from shared.bus.nats_bus import NatsBus
from shared.content.stream import content_stream
from tests.contract.buses import Heard
from tests.support.nats_fleet import MIB, NOTES, NatsFleet, nats_fleet, notes_of, until

HERE, THERE = "eu-central", "eu-west"


@dataclass
class Everybody:
    """Connections, by whom they are of."""

    fleet: NatsFleet
    node: NatsBus
    """c-1 of eu-central."""
    far: NatsBus
    """w-1 of eu-west."""
    plane: NatsBus
    operator: NatsBus
    """On the hub."""
    writer: NatsBus
    """c-1 of eu-central, as it keeps content at home."""
    abroad: NatsBus
    """Likewise, in eu-west."""
    custodian: NatsBus
    """Of eu-central's content."""
    masters: dict[str, NatsBus]
    """On each server one whom nothing is forbidden."""


@asynccontextmanager
async def everybody(folder: Path) -> AsyncIterator[Everybody]:
    """All of them, on a hub and two leaves."""
    async with nats_fleet(folder) as fleet:
        all_ = Everybody(
            fleet,
            await fleet.connect("c-1", HERE),
            await fleet.connect("w-1", THERE),
            await fleet.connect("p-1", "centre"),
            await fleet.connect("operator", "centre"),
            await fleet.writer(HERE, "c-1", HERE),
            await fleet.writer(HERE, "c-1", THERE),
            await fleet.connect(f"keys-{HERE}", HERE),
            {at: await fleet.connect("master", at) for at in ("centre", HERE, THERE)},
        )
        await fleet.linked(all_.plane, all_.node, all_.far)
        for region in (HERE, THERE):
            await all_.plane.ensure_stream(notes_of(region))
        await all_.plane.ensure_stream(NOTES)
        await all_.plane.ensure_bucket(Bucket("KEYS", MIB))
        await all_.custodian.ensure_stream(content_stream(MIB))
        far_keys = await fleet.connect(f"keys-{THERE}", THERE)
        await far_keys.ensure_stream(content_stream(MIB))
        yield all_


async def denied(bus: NatsBus, subject: str) -> None:
    """The server says no to a message. Once more, so that it is this one that it says no to."""
    before = bus.refused
    await bus.publish(subject, b"forbidden")
    await until(lambda: is_more(bus, before))


async def is_more(bus: NatsBus, before: int) -> bool:
    return bus.refused > before


async def reach(bus: NatsBus, subject: str, heard: Heard) -> None:
    """Publishes until it is heard: interest takes a moment to reach the other server."""

    async def once_more() -> bool:
        await bus.publish(subject, b"x")
        return subject in {subject for subject, _ in heard.all}

    await until(once_more)
