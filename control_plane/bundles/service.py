"""Hands out the signed bundle to nodes that ask, and tells them when there is another."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.bundle import SIGNED_FOR_S, sign_bundle
from shared.bus import Bus
from shared.clock import Clock
from shared.errors import BusFailed
from shared.exchange import Bundle, News
from shared.subjects import BUNDLES, NEWS

_log = logging.getLogger(__name__)

QUEUE = "centre"
"""Of several control planes one answers."""
SETTLE_S = 0.05
"""Changes that come together are announced once."""
AGAIN_S = 1.0
"""After an announcement that failed."""


class Bundles:
    """A service.

    Args:
        make: the bundle of now.
        key: it is signed with.
    """

    def __init__(
        self, bus: Bus, clock: Clock, make: Callable[[], Bundle], key: Ed25519PrivateKey
    ) -> None:
        self._bus, self._clock, self._make, self._key = bus, clock, make, key
        self._changed = asyncio.Event()
        self._signed: bytes | None = None
        self._signed_s = 0.0
        self._announced: str | None = None
        self.handed_out = 0
        self.announcements = 0

    def touched(self) -> None:
        """Keys, policies or regions in service are other than before, or may be."""
        self._signed = None
        self._changed.set()

    def tell_again(self) -> None:
        """Some node has missed the news."""
        self._announced = None
        self._changed.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        subscription = await self._bus.subscribe(BUNDLES, self._asked, queue=QUEUE)
        ready.set()
        try:
            while True:
                await self._changed.wait()
                await self._clock.sleep(SETTLE_S)
                self._changed.clear()
                while not await self._announced_it():
                    await self._clock.sleep(AGAIN_S)
        finally:
            await subscription.end()

    async def _asked(self, _subject: str, _data: bytes) -> bytes:
        self.handed_out += 1
        return self.signed()

    def now(self) -> Bundle:
        """What nodes should admit by."""
        return self._make()

    def signed(self) -> bytes:
        """The bundle as it travels."""
        now_s = self._clock.now_s()
        if self._signed is None or now_s - self._signed_s > SIGNED_FOR_S:
            self._signed, self._signed_s = sign_bundle(self.now(), self._key), now_s
        return self._signed

    async def _announced_it(self) -> bool:
        """Whether all nodes were told of what holds now."""
        bundle = self.now()
        if bundle.version == self._announced:
            return True
        news = msgspec.json.encode(News(bundle.version, bundle.policy_version))
        try:
            await self._bus.publish(NEWS, news)
        except BusFailed as error:
            _log.warning("news not announced yet: %s", error.message)
            return False
        self._announced = bundle.version
        self.announcements += 1
        return True
