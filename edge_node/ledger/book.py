"""Writes a node's ledger: many records with one write, and says when they are on the disk."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge_node.centre.identity import Identity
from edge_node.ledger.segments import LedgerDamaged, Segments
from heliovox import __version__
from shared.clock import Clock
from shared.ledger.chain import START, Chain, Moment
from shared.ledger.records import Boot, Missed, Record

_log = logging.getLogger(__name__)

WRITE_S = 1.0
"""Records that nobody waits for are written at least so often: so much is lost of a node that
dies, beyond what it has not yet written of what it heard."""
AGAIN_S = 1.0
"""After the store failed."""
MAX_WAITING_BYTES = 16 << 20
"""Records that wait for a store that is full or gone: half an hour of a thousand sessions."""


class NotDurable(OSError):
    """Records are not on the disk, and it is not known when they will be."""


@dataclass(frozen=True)
class Facts:
    """What a book says of the node at every start."""

    who: Identity
    key: str
    """The public half of the ledger's key, in hex."""
    wall_ms: Callable[[], int]
    signed: Callable[[], int]
    """So many records were signed by an earlier start."""
    kept_elsewhere: Callable[[], int]


class Book:
    """A service. `note` returns at once, `durable` waits until it is written.

    Args:
        segments: the disk.
        facts: about the node.
    """

    def __init__(self, segments: Segments, facts: Facts, clock: Clock) -> None:
        self._segments, self._facts, self._clock = segments, facts, clock
        self._born_s = clock.now_s()
        self._chain: Chain | None = None
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._written = asyncio.Event()
        self._missed, self._missed_ms = 0, 0
        self.place = START
        """Where the chain stands on the disk: what may be signed."""
        self.root = ""
        self.missed = 0
        """Records that could not be taken, ever."""
        self.writes = 0
        self.failing: str | None = None
        """Why nothing can be written now, or None."""

    @property
    def boot(self) -> str:
        """This start of the node."""
        return self._facts.who.boot

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; what waits then is written, if the disk takes it.

        Ready whether or not the store is: only sessions that need the ledger are refused.
        """
        try:
            while not await self._tried(self._open):
                ready.set()
                await self._clock.sleep(AGAIN_S)
            await self._flush()
            ready.set()
            while True:
                await self._something()
                if not await self._flush():
                    await self._clock.sleep(AGAIN_S)
        finally:
            await asyncio.shield(self._last())

    def note(self, records: Iterable[Record], *, soon: bool = False) -> None:
        """Takes records down, in order. Returns at once.

        Args:
            records: of what has happened, or is about to.
            soon: somebody waits for them: the disk is asked now.
        """
        for record in records:
            self._take(record)
        if soon:
            self._wake.set()

    async def durable(self, limit_s: float) -> None:
        """Returns once all that was noted so far is on the disk.

        Raises NotDurable where it is not in time, or cannot be.
        """
        if self._chain is None or self._missed:
            raise NotDurable(self.failing or "the ledger is not open yet")
        until = self._chain.size
        try:
            async with asyncio.timeout(limit_s):
                while self.place.size < until:
                    if self.failing is not None:
                        raise NotDurable(self.failing)
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError as error:
            raise NotDurable(f"the disk did not take it within {limit_s:g} s") from error

    def _take(self, record: Record) -> None:
        chain = self._chain
        if chain is None or self._waiting_bytes > MAX_WAITING_BYTES:
            if not self._missed:
                self._missed_ms = self._facts.wall_ms()
            self._missed, self.missed = self._missed + 1, self.missed + 1
            return
        if self._missed:
            lost, self._missed = self._missed, 0
            self._put(chain, Missed(records=lost, since_ms=self._missed_ms))
        self._put(chain, record)

    def _put(self, chain: Chain, record: Record) -> None:
        line = chain.add(record, self._moment()) + b"\n"
        self._waiting.append(line)
        self._waiting_bytes += len(line)

    def _moment(self) -> Moment:
        up_ms = round((self._clock.now_s() - self._born_s) * 1000)
        return Moment(self._facts.who.boot, self._facts.wall_ms(), up_ms)

    def _open(self) -> None:
        """In a thread."""
        self._segments.recover(self._facts.signed())

    def _begin(self) -> None:
        """The first records of this start, together: no other comes between."""
        segments, facts = self._segments, self._facts
        self._chain = Chain(segments.chain.place)
        died = list(segments.standing.died())
        boot = Boot(
            node=facts.who.node,
            region=facts.who.region,
            key=facts.key,
            version=__version__,
            torn_bytes=segments.torn_bytes,
            open=len(died),
        )
        for record in (boot, *died):
            self._put(self._chain, record)
        if segments.torn_bytes or died:
            said = "the ledger was cut short: %d sessions were open, %d bytes of a record are cut"
            _log.warning(said, len(died), segments.torn_bytes)

    async def _something(self) -> None:
        try:
            async with asyncio.timeout(WRITE_S):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _flush(self) -> bool:
        """Whether everything is on the disk that was noted before."""
        if self._chain is None:
            self._begin()
        lines = b"".join(self._waiting)
        if not lines:
            return True
        count = len(self._waiting)

        def write() -> None:
            self._segments.make_room(self._facts.kept_elsewhere())
            self._segments.append(lines)

        if not await self._tried(write):
            return False
        del self._waiting[:count]
        self._waiting_bytes -= len(lines)
        self.writes += 1
        self.place, self.root = self._segments.chain.place, self._segments.chain.root
        self._written.set()
        return True

    async def _tried(self, work: Callable[[], None]) -> bool:
        try:
            await asyncio.to_thread(work)
        except (OSError, LedgerDamaged) as error:
            self._failed(str(error) if isinstance(error, LedgerDamaged) else _words(error))
            return False
        if self.failing is not None:
            _log.warning("the ledger is written again")
            self.failing = None
        return True

    def _failed(self, why: str) -> None:
        if self.failing is None:
            _log.error("the ledger cannot be written: %s", why)
        self.failing = why
        self._written.set()

    async def _last(self) -> None:
        if self._chain is not None:
            await self._flush()
        await asyncio.to_thread(self._segments.close)


def _words(error: OSError) -> str:
    return error.strerror or str(error)
