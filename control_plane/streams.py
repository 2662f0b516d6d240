"""The streams that a hub needs, made by whichever control plane comes first."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable

from shared.bus import Bucket, Bus, Source, Stream
from shared.clock import Clock
from shared.errors import BusFailed
from shared.subjects import CENTRE, META

_log = logging.getLogger(__name__)

DAY_S = 86_400.0
MIB = 1024 * 1024
RECORDS = Stream(
    "RECORDS", 1024 * MIB, (f"{META}.{CENTRE}.*.record",), max_age_s=30 * DAY_S, duplicates_s=600.0
)
"""Inputs and outcomes of decisions, in batches."""
DECISIONS = Stream("DECISIONS", 512 * MIB, (f"{META}.{CENTRE}.*.decision.*",), max_age_s=7 * DAY_S)
"""Decisions by id, for control planes that did not make them."""
BUNDLE = Bucket("BUNDLE", max_bytes=4 * MIB)
"""What bundles are made from and no file holds: the regions in service."""
CENTRE_NOTES = "NOTES"
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
        CENTRE_NOTES, 1024 * MIB, sources=sources, max_age_s=35 * DAY_S, duplicates_s=600.0
    )


class Streams:
    """A service: the centre's own streams before it is ready, the regions' as they can be had.

    Args:
        regions: of the world of now.
        alive: regions from which reports come: their servers are there.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        regions: Callable[[], Collection[str]],
        alive: Callable[[], Collection[str]],
    ) -> None:
        self._bus, self._clock, self._regions, self._alive = bus, clock, regions, alive
        self._made: set[str] = set()
        self._sourced: frozenset[str] = frozenset()
        self._ready = False

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled. Raises BusFailed where the centre's own streams cannot be made."""
        for stream in (RECORDS, DECISIONS):
            await self._bus.ensure_stream(stream)
        await self._bus.ensure_bucket(BUNDLE)
        await self._source()
        self._ready = True
        ready.set()
        while True:
            await self._look()
            await self._clock.sleep(AGAIN_S)

    def check(self) -> str | None:
        """For /readyz: what is missing of what is needed now, or None."""
        if not self._ready:
            return "the centre's streams are not made yet"
        missing = sorted(set(self._alive()) & set(self._regions()) - self._made)
        return f"no notes kept in {', '.join(missing)}" if missing else None

    async def _look(self) -> None:
        """Makes what has become possible."""
        try:
            if frozenset(self._regions()) != self._sourced:
                await self._source()
        except BusFailed as error:
            _log.warning("the stream of notes is not made: %s", error.message)
        missing = sorted(set(self._alive()) & set(self._regions()) - self._made)
        await asyncio.gather(*(self._make(region) for region in missing))

    async def _source(self) -> None:
        regions = frozenset(self._regions())
        await self._bus.ensure_stream(centre_notes(regions))
        self._sourced = regions

    async def _make(self, region: str) -> None:
        try:
            await self._bus.ensure_stream(notes_of(region))
        except BusFailed as error:
            _log.warning("no notes kept in %s yet: %s", region, error.message)
        else:
            self._made.add(region)
            _log.info("notes are kept in %s", region)
