"""Signs what nodes show of their ledgers, and keeps it: a service."""

import asyncio
import logging

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.bus import Bus
from shared.clock import wall_ms
from shared.errors import BusFailed
from shared.ledger.heads import HEAD, SignedHead, log_of, signed, witness
from shared.subjects import HEADS, META, ledger_head

_log = logging.getLogger(__name__)

QUEUE = "centre"
"""Of several control planes one answers."""
MOST_LEDGERS = 10_000


class Witness:
    """A service. A head that is shorter than one seen before is not signed, and said loudly.

    Args:
        plane: this control plane.
        key: the centre's.
    """

    def __init__(self, bus: Bus, plane: str, key: Ed25519PrivateKey) -> None:
        self._bus, self._plane, self._key = bus, plane, key
        self._sizes: dict[str, int] = {}
        self.signed = self.refused = 0

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        subscription = await self._bus.subscribe(HEADS, self._shown, queue=QUEUE)
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            await subscription.end()

    async def _shown(self, subject: str, data: bytes) -> bytes:
        """Raises BusFailed where it is not signed: the node asks again."""
        shown = self._checked(subject, data)
        head = shown.head
        seen = witness(shown, self._plane, wall_ms(), self._key)
        answer = msgspec.json.encode(seen)
        message = f"{head.log}-{head.size}-{head.root[:16]}"
        await self._bus.keep(ledger_head(self._plane, head.log), answer, message)
        if len(self._sizes) >= MOST_LEDGERS:
            self._sizes.clear()
        self._sizes[head.log] = head.size
        self.signed += 1
        return answer

    def _checked(self, subject: str, data: bytes) -> SignedHead:
        try:
            shown = msgspec.json.decode(data, type=SignedHead)
        except msgspec.DecodeError as error:
            self.refused += 1
            raise BusFailed(f"not a head of a ledger: {error}") from error
        head, why = shown.head, None
        if subject != f"{META}.{head.region}.{head.node}.head":
            why = "a node speaks for itself alone"
        elif not signed(HEAD, head, shown.sig, head.key) or _name(head.key) != head.log:
            why = "its signature is not good"
        elif head.size < self._sizes.get(head.log, 0):
            why = f"the ledger has {head.size} records, and had {self._sizes[head.log]}"
        if why is not None:
            self.refused += 1
            _log.error("the head of the ledger of %s is not signed: %s", head.node, why)
            raise BusFailed(why)
        return shown


def _name(key: str) -> str:
    try:
        return log_of(key)
    except ValueError:
        return ""
