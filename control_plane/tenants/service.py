"""The keyring of now: follows the bucket, and keeps the last keys while the bus is away."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import msgspec

from control_plane.tenants.changes import KEYS
from control_plane.tenants.keys import KeyRecord, Keyring, decode_record
from shared.bus import Bus, Entry
from shared.clock import Clock
from shared.errors import BusFailed

_log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""Between two attempts to follow a bucket that cannot be followed."""


class Tenants:
    """A service.

    Args:
        first: called with the bucket there, before anybody is let in: makes the first keys.
        changed: called whenever another set of keys is valid.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        first: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self._bus, self._clock, self._first, self._changed = bus, clock, first, changed
        self._records: dict[str, KeyRecord] = {}
        self.keyring = Keyring()
        self.loaded = False
        """Whether every key of the bucket has been seen."""

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled. Raises BusFailed where it never worked."""
        await self._bus.ensure_bucket(KEYS)
        await self._first()
        while True:
            try:
                await self._follow(ready)
            except BusFailed as error:
                if not ready.is_set():
                    raise
                _log.warning("keys are not followed: %s", error.message)
                await self._clock.sleep(AGAIN_S)

    async def _follow(self, ready: asyncio.Event) -> None:
        watching = self._bus.kv(KEYS.name).watch()
        async with contextlib.aclosing(watching) as entries:  # type: ignore[type-var]
            async for entry in entries:
                if entry is None:
                    self.loaded = True
                    self._take_over()
                    ready.set()
                elif self._take(entry) and self.loaded:
                    self._take_over()

    def _take(self, entry: Entry) -> bool:
        """Whether anything is other than before."""
        before = self._records.pop(entry.key, None)
        if entry.value is not None:
            try:
                self._records[entry.key] = decode_record(entry.value)
            except msgspec.DecodeError:
                _log.error("the record of key %s is none: the key opens nothing", entry.key)
        return before != self._records.get(entry.key)

    def _take_over(self) -> None:
        self.keyring = Keyring(self._records.values())
        self._changed()
