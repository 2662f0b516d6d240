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
"""The sizes below, and that of the bucket of keys, fit a server that gives JetStream 1 GiB."""
RECORDS = Stream(
    "RECORDS", 320 * MIB, (f"{META}.{CENTRE}.*.record",), max_age_s=30 * DAY_S, duplicates_s=600.0
)
"""Inputs and outcomes of decisions, in batches."""
DECISIONS = Stream("DECISIONS", 160 * MIB, (f"{META}.{CENTRE}.*.decision.*",), max_age_s=7 * DAY_S)
"""Decisions by id, for control planes that did not make them."""
BUNDLE = Bucket("BUNDLE", max_bytes=4 * MIB)
"""What bundles are made from and no file holds: the regions in service."""
CENTRE_NOTES = "NOTES"
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
        self._tried_s: dict[str, float] = {}
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
            await self._clock.sleep(LOOK_S)

    def check(self) -> str | None:
        """For /readyz: what is missing of what is needed now, or None."""
        if not self._ready:
            return "the centre's streams are not made yet"
        missing = self._missing()
        return f"no notes kept in {', '.join(missing)}" if missing else None

    async def _look(self) -> None:
        """Makes what has become possible."""
        now_s = self._clock.now_s()
        if frozenset(self._regions()) != self._sourced and self._due("", now_s):
            try:
                await self._source()
            except BusFailed as error:
                _log.warning("the stream of notes is not made: %s", error.message)
        due = [region for region in self._missing() if self._due(region, now_s)]
        await asyncio.gather(*(self._make(region) for region in due))

    def _missing(self) -> list[str]:
        return sorted(set(self._alive()) & set(self._regions()) - self._made)

    def _due(self, what: str, now_s: float) -> bool:
        """Whether it may be tried; it is, then."""
        if now_s - self._tried_s.get(what, float("-inf")) < AGAIN_S:
            return False
        self._tried_s[what] = now_s
        return True

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
