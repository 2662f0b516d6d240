"""The streams that a hub needs, made by whichever control plane comes first."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from shared.bus import Bucket, Bus, KeyValues, Source, Stream
from shared.clock import Clock
from shared.errors import BusFailed
from shared.subjects import CENTRE, META

_log = logging.getLogger(__name__)

DAY_S = 86_400.0
MIB = 1024 * 1024
"""The sizes below, and that of the bucket of keys, fit a server that gives JetStream 1 GiB."""
RECORDS = Stream(
    "RECORDS", 320 * MIB, (f"{META}.{CENTRE}.*.record",), max_age_s=30 * DAY_S, duplicates_s=600.0
)
"""Inputs and outcomes of decisions, in batches."""
DECISIONS = Stream(
    "DECISIONS",
    160 * MIB,
    (f"{META}.{CENTRE}.*.decision.*",),
    max_age_s=7 * DAY_S,
    per_subject=1,
)
"""Decisions by the batch in their id, for control planes that did not make them."""
LEDGER = Stream("LEDGER", 96 * MIB, (f"{META}.{CENTRE}.*.head.*", f"{META}.{CENTRE}.*.world"))
"""Heads of nodes' ledgers, signed, and every version of the policies. Some 130,000 heads; a later
one covers what those before it did."""
BUNDLE = Bucket("BUNDLE", max_bytes=4 * MIB)
"""What bundles are made from and no file holds: the regions in service."""
CLAIMS = Bucket("CLAIMS", max_bytes=MIB, max_age_s=600.0)
"""Sessions that one control plane moves, so that no other does; and until when, since nobody clears
up after one that dies."""
DRAINS = Bucket("DRAINS", max_bytes=MIB)
"""Nodes that are drained, and whose sessions stay until they end by an operator's word; by which
start of the node that was."""
CENTRE_NOTES = "NOTES"
NOTED = "noted"
"""The key of the regions whose notes are gathered."""
LINKED_S = 3.0
"""A region whose nodes were silent for so long may have lost its link."""
LOOK_S = 0.5
"""Between looks at which regions report."""
AGAIN_S = 5.0
"""Between attempts to make the stream of a region whose server does not answer."""


def notes_of(region: str) -> Stream:
    """What a region's nodes note, kept by the region's own server: also while it is cut off."""
    return Stream(
        f"NOTES_{region}",
        256 * MIB,
        (f"{META}.{region}.*.note",),
        domain=region,
        max_age_s=35 * DAY_S,
        duplicates_s=600.0,
    )


def centre_notes(regions: Iterable[str]) -> Stream:
    """What all regions' nodes noted."""
    sources = tuple(Source(f"NOTES_{region}", region) for region in sorted(regions))
    return Stream(
        CENTRE_NOTES, 384 * MIB, sources=sources, max_age_s=35 * DAY_S, duplicates_s=600.0
    )


class Streams:
    """A service: the centre's own streams before it is ready, the regions' as they can be had.

    The server tries a source that it could not reach only every ten seconds, then less and less
    often. So a region becomes a source once its stream is made, by whichever control plane, and is
    made one anew when its link is back: it goes on from the last note that the centre has.

    Args:
        regions: of the world of now.
        heard_s: when a report last came from each region, by the clock: its server is linked.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        regions: Callable[[], Collection[str]],
        heard_s: Callable[[], Mapping[str, float]],
    ) -> None:
        self._bus, self._clock, self._regions, self._heard_s = bus, clock, regions, heard_s
        self._connected_s = float("-inf")
        self._linked: set[str] = set()
        self._made: set[str] = set()
        self._noted: set[str] = set()
        self._tried_s: dict[str, float] = {}
        self._sourced: frozenset[str] | None = None
        self._ready = False

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled. Raises BusFailed where the centre's own streams cannot be made."""
        for stream in (RECORDS, DECISIONS, LEDGER):
            await self._bus.ensure_stream(stream)
        for bucket in (BUNDLE, CLAIMS, DRAINS):
            await self._bus.ensure_bucket(bucket)
        await self._make_all()
        await self._source()
        self._ready = True
        ready.set()
        while True:
            try:
                await self._look()
            except BusFailed as error:
                _log.warning("notes are not gathered: %s", error.message)
                await self._clock.sleep(AGAIN_S)
            await self._clock.sleep(LOOK_S)

    def check(self) -> str | None:
        """For /readyz: what is missing of what is needed now, or None."""
        if not self._ready:
            return "the centre's streams are not made yet"
        missing = sorted(self._missing() & self._linked)
        return f"no notes kept in {', '.join(missing)}" if missing else None

    async def _look(self) -> None:
        """Makes what has become possible."""
        before, self._linked = self._linked, self._linked_now()
        await self._make_all()
        if back := (self._linked - before) & (self._sourced or frozenset()):
            await self._bus.ensure_stream(centre_notes(self._wanted() - back))
            self._sourced = None
        if self._wanted() != self._sourced or self._made - self._noted:
            await self._source()

    def _linked_now(self) -> set[str]:
        """Regions that were heard lately, and since the bus was last away."""
        now_s = self._clock.now_s()
        if not self._bus.connected:
            self._connected_s = now_s
        since_s = max(self._connected_s, now_s - LINKED_S)
        return {region for region, heard_s in self._heard_s().items() if heard_s > since_s}

    def _missing(self) -> set[str]:
        return set(self._regions()) - self._made

    def _wanted(self) -> frozenset[str]:
        return frozenset(self._noted & set(self._regions()))

    async def _make_all(self) -> None:
        now_s, alive = self._clock.now_s(), self._linked
        due = [region for region in sorted(self._missing()) if self._due(region, now_s, alive)]
        await asyncio.gather(*(self._make(region, wanted=region in alive) for region in due))

    def _due(self, region: str, now_s: float, alive: Collection[str]) -> bool:
        """Whether it may be tried; it is, then. One that has begun to report is tried at once."""
        key = f"{region} alive" if region in alive else region
        if now_s - self._tried_s.get(key, float("-inf")) < AGAIN_S:
            return False
        self._tried_s[key] = now_s
        return True

    async def _make(self, region: str, *, wanted: bool) -> None:
        try:
            await self._bus.ensure_stream(notes_of(region))
        except BusFailed as error:
            level = logging.WARNING if wanted else logging.DEBUG
            _log.log(level, "no notes kept in %s yet: %s", region, error.message)
        else:
            self._made.add(region)
            _log.info("notes are kept in %s", region)

    async def _source(self) -> None:
        """Gathers from every region whose stream was ever made, by this plane or another."""
        while not await self._agreed(self._bus.kv(BUNDLE.name)):
            await self._clock.sleep(LOOK_S)
        wanted = self._wanted()
        await self._bus.ensure_stream(centre_notes(wanted))
        self._sourced = wanted

    async def _agreed(self, bucket: KeyValues) -> bool:
        """Adds what was made here to what all control planes know; False where one was faster."""
        entry = await bucket.get(NOTED)
        before = set(_decoded(entry.value)) if entry and entry.value else set()
        self._noted = before | self._made
        if self._noted == before:
            return True
        data = msgspec.json.encode(sorted(self._noted))
        if entry is None:
            return await bucket.create(NOTED, data) is not None
        return await bucket.update(NOTED, data, entry.revision) is not None


def _decoded(data: bytes) -> tuple[str, ...]:
    try:
        return msgspec.json.decode(data, type=tuple[str, ...])
    except msgspec.DecodeError:
        return ()
