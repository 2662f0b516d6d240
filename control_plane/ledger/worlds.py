"""Keeps every version of the policies that was in force, signed: a service."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.ledger.statement import sign_world
from control_plane.streams import LEDGER
from control_plane.world import WorldNow
from shared.bundle import SKEW_S
from shared.bus import Bus
from shared.clock import Clock, wall_ms
from shared.errors import BusFailed
from shared.ledger.allowed import Published, clauses_of
from shared.subjects import CENTRE, META, ledger_world

_log = logging.getLogger(__name__)

ALL_WORLDS = f"{META}.{CENTRE}.*.world"
AGAIN_S = 1.0


class Worlds:
    """A service.

    Args:
        plane: this control plane.
        now: the policies of now.
        key: the centre's.
        life_s: for how long a node may go by a bundle.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        now: Callable[[], WorldNow],
        *,
        plane: str,
        key: Ed25519PrivateKey,
        life_s: float,
    ) -> None:
        self._bus, self._clock, self._now = bus, clock, now
        self._plane, self._key, self._life_s = plane, key, life_s
        self._changed = asyncio.Event()
        self._kept = ""

    def touched(self) -> None:
        """The policies are others than before, or may be."""
        self._changed.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; ready once the policies of now are kept, or cannot be now."""
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._keep()
            except BusFailed as error:
                _log.warning("this version of the policies is not kept yet: %s", error.message)
                self._changed.set()
                await self._clock.sleep(AGAIN_S)
            ready.set()

    async def _keep(self) -> None:
        now = self._now()
        version = now.world.version
        if self._kept == version or (not self._kept and await self._latest() == version):
            self._kept = version
            return
        at_ms = wall_ms()
        published = Published(
            clauses_of(now.world, now.text), self._plane, at_ms, self._good_for_ms(now)
        )
        data = msgspec.json.encode(sign_world(published, self._key))
        await self._bus.keep(ledger_world(self._plane), data, f"{version}-{at_ms}")
        self._kept = version

    async def _latest(self) -> str:
        """The version that was put in force last, by whichever control plane."""
        latest = ""
        async for stored in self._bus.read_now(LEDGER.name, subject=ALL_WORLDS):
            latest = msgspec.json.decode(stored.data, type=Published).world.version
        return latest

    def _good_for_ms(self, now: WorldNow) -> int:
        rules = [rule.after_expiry_s or 0 for rule in now.world.rules.values()]
        longest_s = max(*rules, *(one.after_expiry_s for one in now.world.policies.values()), 0)
        return round((self._life_s + SKEW_S + longest_s) * 1000)
