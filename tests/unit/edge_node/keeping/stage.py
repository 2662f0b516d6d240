"""A keeper and its stores, over a bus in memory and in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge_node.centre.identity import Identity
from edge_node.centre.rules import Rules, open_rules
from edge_node.desk import Terms
from edge_node.keeping.keeper import Keeper
from edge_node.keeping.outbox import Outbox
from edge_node.keeping.passing import Passing
from edge_node.keeping.sender import Sender
from shared.bus.memory import MemoryBus
from shared.content.records import Deletion
from shared.content.stream import content_stream
from shared.exchange import Bundle
from shared.policy import Facts
from shared.subjects import CONTENT_STREAM, kept_of

WHO = Identity("c-1", "eu-central", "boot-1")
WORLD = """
regions:
  eu-central: {place: {lat: 50.11, lon: 8.68}, time_zone: UTC, jurisdiction: de}
  eu-west: {place: {lat: 53.35, lon: -6.26}, time_zone: UTC, jurisdiction: ie}
  us-east: {place: {lat: 39.04, lon: -77.49}, time_zone: UTC, jurisdiction: us}
zones:
  eu: [de, ie]
policies:
  default: {allow: [everywhere]}
  month: {allow: [everywhere], keep: {transcripts: {zones: [eu], days: 30}}}
  passing: {allow: [eu], keep: {transcripts: {zones: [eu], days: 0}}}
  abroad: {allow: [everywhere], keep: {transcripts: {zones: [everywhere], days: 1}}}
  later: {allow: [eu], from: 2030-01-01, keep: {transcripts: {zones: [eu], days: 1}}}
"""
NOW_MS = 1_700_000_000_000


def rules() -> Rules:
    return open_rules(Bundle("b", "p", WORLD, (), ("eu-central", "eu-west"), 0, 1), "eu-central")


def terms(policy: str, home: str = "eu-central") -> Terms:
    return Terms("acme", policy, "p", facts=Facts(tenant="acme"), home=home)


class LoopClock:
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Stage:
    """Everything of a node that keeps content."""

    keeper: Keeper
    buses: dict[str, MemoryBus]
    """By place: what a custodian sees."""
    lines: dict[str, MemoryBus] = field(default_factory=dict)
    """The node's own connections, once they were made."""
    receipts: list[Deletion] = field(default_factory=list)
    """That the node has noted."""

    async def kept(self, place: str, session: str = "s1") -> int:
        return sum((await self.buses[place].count(CONTENT_STREAM, kept_of(session))).values())

    async def data(self, place: str) -> list[bytes]:
        read = self.buses[place].read_now(CONTENT_STREAM, subject="hv.content.>")
        return [one.data async for one in read]


@asynccontextmanager
async def staged(
    folder: Path,
    *places: str,
    room_bytes: int = 1 << 20,
    store_bytes: int = 1 << 20,
    there: dict[str, MemoryBus] | None = None,
    boot: str = "boot-1",
    no_rules: bool = False,
) -> AsyncIterator[Stage]:
    """A node's keeper that runs, with stores in these places."""
    buses = there or {place: MemoryBus() for place in places}
    senders: dict[str, Sender] = {}
    known = None if no_rules else rules()
    who = Identity(WHO.node, WHO.region, boot)
    receipts: list[Deletion] = []
    keeper = Keeper(
        who, lambda: known, senders, Passing(folder / "passing"), lambda: NOW_MS, receipts.append
    )
    stage = Stage(keeper, buses, receipts=receipts)
    for place in places:
        if not there:
            await buses[place].ensure_stream(content_stream(store_bytes))

        async def dial(place: str = place) -> MemoryBus:
            stage.lines[place] = buses[place].beside()
            return stage.lines[place]

        senders[place] = Sender(
            place,
            dial,
            Outbox(room_bytes),
            LoopClock(),
            told=keeper,
            wall_ms=lambda: NOW_MS,
        )
    running = asyncio.get_running_loop().create_task(keeper.run(asyncio.Event()))
    await asyncio.sleep(0)
    try:
        yield stage
    finally:
        running.cancel()
        await asyncio.wait([running])
