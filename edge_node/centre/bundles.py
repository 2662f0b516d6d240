"""Keeps the rules that the node admits by: asked for, verified, stored, dropped at their end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_node.centre.pursuit import Pursuit
from edge_node.centre.rules import Rules, open_rules
from shared.bundle import SKEW_S, BundleRefused, verify_bundle
from shared.clock import Clock
from shared.errors import BusFailed
from shared.exchange import Bundle, News
from shared.files import write_private

_log = logging.getLogger(__name__)

ANSWER_S = 2.0


class Bundles:
    """A service, ready once the node has valid rules: fetched, or kept from an earlier start.

    Args:
        fetch: asks the centre for the token. Raises BusFailed.
        path: where the last good one is kept, readable by its owner alone.
        region: where the node stands.
        key: the centre's.
        wall_s: seconds since 1970.
        changed: called when the node admits by another one.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[bytes]],
        path: Path,
        region: str,
        key: Ed25519PublicKey,
        clock: Clock,
        wall_s: Callable[[], float],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._fetch, self._path, self._region, self._key = fetch, path, region, key
        self._clock, self._wall_s, self._changed = clock, wall_s, changed
        self._pursuit = Pursuit()
        self._rules: Rules | None = None
        self._news = asyncio.Event()
        self._refused_because = ""
        self.taken_over = 0
        self.refused = 0

    @property
    def rules(self) -> Rules | None:
        """What to admit by now; None where nothing valid is there."""
        rules = self._rules
        return rules if rules is not None and rules.valid(self._wall_s()) else None

    @property
    def bundle(self) -> Bundle | None:
        """What they are made of."""
        rules = self.rules
        return None if rules is None else rules.bundle

    def check(self) -> str | None:
        """What is wrong, for /readyz."""
        return None if self.rules is not None else "no valid bundle: nobody can be let in"

    async def news(self, _subject: str, data: bytes) -> None:
        """The centre says that there is a new one."""
        try:
            version = msgspec.json.decode(data, type=News).version
        except msgspec.DecodeError:
            version = None
        if self._pursuit.heard(version, self._held):
            self._news.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        await self._recall()
        while True:
            await self._renew()
            if self.rules is not None:
                ready.set()
            await self._wait(self._pursuit.pause_s(self._valid_s))

    async def _wait(self, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _recall(self) -> None:
        try:
            token = self._path.read_bytes()
        except OSError:
            return
        await self._take_over(token, store=False)

    async def _renew(self) -> None:
        try:
            token = await self._fetch()
        except BusFailed as error:
            _log.debug("no bundle: %s", error)
            self._pursuit.unanswered()
            return
        await self._take_over(token, store=True)
        self._pursuit.answered(self._held)

    @property
    def _valid_s(self) -> float:
        return 0.0 if self._rules is None else self._rules.until_s - self._wall_s()

    @property
    def _held(self) -> str | None:
        return None if self._rules is None else self._rules.bundle.version

    def _refuse(self, why: str) -> None:
        self.refused += 1
        if why != self._refused_because:  # the same one may come every second
            _log.warning("a bundle was refused: %s", why)
        self._refused_because = why

    async def _take_over(self, token: bytes, *, store: bool) -> None:
        try:
            bundle = verify_bundle(token, self._key, self._wall_s())
            if self._overtaken(bundle):
                return
            rules = await asyncio.to_thread(open_rules, bundle, self._region, self._rules)
        except BundleRefused as error:
            self._refuse(str(error))
            return
        before, self._rules = self._held, rules
        self.taken_over += 1
        if bundle.version != before:
            self._changed()
        if store:
            try:
                await asyncio.to_thread(write_private, self._path, token)
            except OSError as error:
                _log.error("the bundle cannot be kept: %s", error)

    def _overtaken(self, bundle: Bundle) -> bool:
        """Older than what is there. What was announced may come from a clock that is behind."""
        if self._rules is None:
            return False
        behind_s = SKEW_S if bundle.version == self._pursuit.announced else 0.0
        return bundle.iat < self._rules.bundle.iat - behind_s
