"""Keeps the rules that the node admits by: asked for, verified, stored, and never taken back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_node.centre.bundle_store import BundleStore
from edge_node.centre.expiry import Held
from edge_node.centre.pursuit import Pursuit
from edge_node.centre.rules import Rules, open_rules
from edge_node.centre.succession import Mark, check_follows, is_old_news
from edge_node.centre.timekeeping import Anchor, ahead_s
from shared.bundle import SIGNED_FOR_S, SKEW_S, BundleRefused, verify_bundle
from shared.clock import Clock
from shared.errors import BusFailed
from shared.exchange import Bundle, News

_log = logging.getLogger(__name__)

ANSWER_S = 2.0
SEEN_EVERY_S = 60.0
"""How often the passing of time is put down. A clock set back while the node is off gains it no
more than that."""


class Bundles:
    """A service, ready once the node has rules: fetched, or kept from an earlier start.

    Kept ones may have expired: then they serve only those whose policy says so, see `expiry.py`.

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
        self._fetch, self._store, self._region, self._key = fetch, BundleStore(path), region, key
        self._clock, self._wall_s, self._changed = clock, wall_s, changed
        self._pursuit = Pursuit()
        self._rules: Rules | None = None
        self._mark = self._store.mark()
        self._anchor = Anchor(self._mark.seen_s, clock.now_s())
        self._news = asyncio.Event()
        self._refused_because = self._refused_for = ""
        self._superseded: str | None = None
        self.taken_over = 0
        self.refused = 0
        self.clock_ahead_s = 0.0
        """Of this node, before the control plane's; less than 0 where it is behind."""

    @property
    def held(self) -> Held:
        """The last good rules, and the time by which they are judged."""
        now_s = self._anchor.now_s(self._wall_s(), self._clock.now_s())
        return Held(self._rules, now_s, self._superseded)

    @property
    def rules(self) -> Rules | None:
        """Those in date; None where there are none."""
        return self.held.in_date

    @property
    def bundle(self) -> Bundle | None:
        """What they are made of."""
        rules = self.rules
        return None if rules is None else rules.bundle

    def check(self) -> str | None:
        """What is wrong with the rules, for /readyz."""
        held = self.held
        if held.rules is None:
            why = f": {self._refused_because}" if self._refused_because else ""
            return f"no valid bundle{why}: nobody can be let in"
        if held.superseded is not None:
            return held.superseded
        if held.in_date is None:
            return _expired(-held.left_s)
        return None

    def check_clock(self) -> str | None:
        """What is wrong with the node's clock, for /readyz."""
        if abs(self.clock_ahead_s) <= SKEW_S:
            return None
        side = "ahead of" if self.clock_ahead_s > 0 else "behind"
        return f"this node's clock is {abs(self.clock_ahead_s):.0f} s {side} the control plane's"

    async def news(self, _subject: str, data: bytes) -> None:
        """The centre says that there is a new one."""
        try:
            version = msgspec.json.decode(data, type=News).version
        except msgspec.DecodeError:
            version = None
        if self._pursuit.heard(version, self._version):
            self._news.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        await self._recall()
        while True:
            await self._renew()
            if self._rules is not None:
                ready.set()
            await self._time_passed()
            await self._wait(self._pursuit.pause_s(max(0.0, self.held.left_s)))

    async def _wait(self, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _recall(self) -> None:
        """What was kept, even if it has expired; never one that is from the future."""
        if (token := self._store.bundle()) is None:
            return
        try:
            bundle = verify_bundle(token, self._key, self.held.now_s, even_expired=True)
            check_follows(bundle, self._mark, None)
            await self._use(bundle, self._mark.after(bundle).at(self.held.now_s))
        except BundleRefused as error:
            self._refuse(error, "the one that was kept: ")

    async def _renew(self) -> None:
        try:
            token = await self._fetch()
        except BusFailed as error:
            _log.debug("no bundle: %s", error)
            self._pursuit.unanswered()
            return
        if await self._take_over(token):
            self._pursuit.answered(self._version)
        else:
            self._pursuit.unanswered()

    def _set_time(self, bundle: Bundle) -> None:
        """Nobody but the centre can have signed it, and it was signed just now."""
        wall_s = self._wall_s()
        self._superseded = None
        self._anchor = Anchor(wall_s, self._clock.now_s())
        self.clock_ahead_s = ahead_s(bundle.iat, wall_s, SIGNED_FOR_S)

    async def _time_passed(self) -> None:
        now_s = self.held.now_s
        if self._rules is not None and now_s >= self._mark.seen_s + SEEN_EVERY_S:
            self._mark = self._mark.at(now_s)
            await asyncio.to_thread(self._store.keep_mark, self._mark)

    @property
    def _version(self) -> str | None:
        return None if self._rules is None else self._rules.bundle.version

    def _refuse(self, error: BundleRefused, which: str = "") -> None:
        self.refused += 1
        why = which + error.message + (f"; {error.remedy}" if error.remedy else "")
        kind = error.field or error.message
        if kind != self._refused_for:  # the same one may come every second
            _log.warning("a bundle was refused: %s", why)
        self._refused_because, self._refused_for = why, kind

    async def _take_over(self, token: bytes) -> bool:
        """Refuses what is forged, out of date, from the future, or older than what was seen."""
        try:
            bundle = verify_bundle(token, self._key, self._wall_s())
            if self._rules is not None and is_old_news(bundle, self._mark):
                return True
            check_follows(bundle, self._mark, self._pursuit.announced)
            fresh, mark = bundle.iat > self._mark.iat, self._mark.after(bundle)
            await self._use(bundle, mark.set(self._wall_s()) if fresh else mark)
        except BundleRefused as error:
            if error.field == "iat":  # signed by the centre all the same: it tells the time
                self.clock_ahead_s = self._wall_s() - float(error.value or 0)
                self._superseded = f"the newest come from the future: {self.check_clock()}"
            self._refuse(error)
            return False
        if fresh:
            self._set_time(bundle)
        await asyncio.to_thread(self._store.keep_bundle, token)
        return True

    async def _use(self, bundle: Bundle, mark: Mark) -> None:
        """Admits by it from now on. What was seen is kept first. Raises BundleRefused."""
        rules = await asyncio.to_thread(open_rules, bundle, self._region, self._rules)
        await asyncio.to_thread(self._store.keep_mark, mark)
        self._mark = mark
        before, self._rules = self._version, rules
        self.taken_over += 1
        self._refused_because = self._refused_for = ""
        if bundle.version != before:
            self._changed()


def _expired(for_s: float) -> str:
    only = "only sessions whose policy says after_expiry_s are let in, if any"
    return f"the bundle has expired {for_s:.0f} s ago: {only}"
