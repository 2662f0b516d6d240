"""Shows the centre how far the node's ledger is: then it cannot become another one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_node.centre.identity import Identity
from edge_node.ledger.book import Book, NotDurable
from shared.clock import Clock
from shared.errors import BusFailed
from shared.files import write_private
from shared.ledger.heads import (
    WITNESS,
    Head,
    Witnessed,
    key_hex,
    log_of,
    sign_head,
    signed,
    unsigned,
)

_log = logging.getLogger(__name__)

LAST_S = 2.0
HEAD_FILE = "head.json"


class Heads:
    """A service.

    Args:
        folder: of the ledger; the last head that the centre signed is kept there.
        key: of the ledger.
        centre_key: in hex.
        ask: shows the centre a signed head, and returns its answer. Raises BusFailed.
        every_s: between two heads, while anything is written.
    """

    def __init__(
        self,
        folder: Path,
        who: Identity,
        key: Ed25519PrivateKey,
        centre_key: str,
        ask: Callable[[bytes], Awaitable[bytes]],
        clock: Clock,
        every_s: float,
    ) -> None:
        self._file, self._who, self._key, self._centre_key = (
            folder / HEAD_FILE,
            who,
            key,
            centre_key,
        )
        self._ask, self._clock, self._every_s = ask, clock, every_s
        self._size = _signed_before(self._file, log_of(key_hex(key)))
        self._failing = False
        self.book: Book | None = None
        self.wall_ms: Callable[[], int] = lambda: 0
        self.witnessed = 0
        """Heads that the centre has signed, since the start."""

    def size(self) -> int:
        """So many records the centre has signed for."""
        return self._size

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; then what was written last is shown too."""
        ready.set()
        try:
            while True:
                await self._show()
                await self._clock.sleep(self._every_s)
        finally:
            with suppress(TimeoutError, NotDurable):
                async with asyncio.timeout(LAST_S):
                    assert self.book is not None
                    await self.book.durable(LAST_S)
                    await self._show()

    async def _show(self) -> None:
        """Whatever is on the disk and was not shown."""
        head = self._head()
        if head is None or head.size == self._size:
            return
        try:
            data = await self._ask(msgspec.json.encode(sign_head(head, self._key)))
            seen = msgspec.json.decode(data, type=Witnessed)
            self._check(head, seen)
            await asyncio.to_thread(write_private, self._file, data)
        except (BusFailed, msgspec.DecodeError, OSError) as error:
            self._say(str(error))
            return
        self._size = head.size
        self.witnessed += 1
        self._say(None)

    def _check(self, head: Head, seen: Witnessed) -> None:
        good = signed(WITNESS, unsigned(seen), seen.sig, self._centre_key)
        if not good or seen.head != head:
            raise BusFailed("the centre's answer is not signed with its key")

    def _head(self) -> Head | None:
        if self.book is None or not self.book.root:
            return None
        place, key = self.book.place, key_hex(self._key)
        return Head(
            node=self._who.node,
            region=self._who.region,
            boot=self._who.boot,
            log=log_of(key),
            key=key,
            size=place.size,
            root=self.book.root,
            chain=place.chain,
            at_ms=self.wall_ms(),
        )

    def _say(self, failure: str | None) -> None:
        """Once when it begins and once when it is over."""
        if failure is not None and not self._failing:
            _log.warning("the ledger's head is not signed by the centre: %s", failure)
        if failure is None and self._failing:
            _log.info("the ledger's head is signed by the centre again")
        self._failing = failure is not None


def _signed_before(file: Path, log: str) -> int:
    try:
        seen = msgspec.json.decode(file.read_bytes(), type=Witnessed)
    except (OSError, msgspec.DecodeError):
        return 0
    return seen.head.size if seen.head.log == log else 0
