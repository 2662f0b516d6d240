"""The bus inside one process: for tests of what stands on it, and for a node without a fleet."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping

from shared.bus.listening import Heard, Listener
from shared.bus.matching import MAX_BYTES, checked, matches
from shared.bus.memory_kv import MemoryKeyValues
from shared.bus.memory_log import Log, Logs, stored
from shared.bus.model import Bucket, Handler, KeyValues, Stored, Stream, Subscription
from shared.errors import BusFailed
from shared.tasks import Tasks

HELD_BYTES = 1 << 18
"""Held back for each connection while it is cut."""
_CLOSE_S = 2.0


class Exchange:
    """What connections share: who listens, and what is kept."""

    def __init__(self) -> None:
        self.ears: list[Ear] = []
        self.logs = Logs()
        self._turn = 0

    def listeners(self, subject: str) -> list["Ear"]:
        """Who hears it now: everybody, and of each queue one in turn."""
        fit = [ear for ear in self.ears if ear.bus.connected and matches(ear.pattern, subject)]
        queues = sorted({ear.queue for ear in fit if ear.queue is not None})
        self._turn += 1
        chosen = [ear for ear in fit if ear.queue is None]
        for queue in queues:
            members = [ear for ear in fit if ear.queue == queue]
            chosen.append(members[self._turn % len(members)])
        return chosen


class Ear:
    """One subscription."""

    def __init__(self, bus: "MemoryBus", pattern: str, queue: str | None, to: Listener) -> None:
        self.bus, self.pattern, self.queue, self.to = bus, pattern, queue, to

    async def end(self) -> None:
        """See Subscription."""
        self.to.end()
        if self in self.bus.exchange.ears:
            self.bus.exchange.ears.remove(self)


class MemoryBus:
    """A connection; `beside()` gives another one to the same exchange."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.exchange = exchange or Exchange()
        self._tasks = Tasks()
        self._ears: list[Ear] = []
        self._asked: set[asyncio.Future[bytes]] = set()
        self._held: deque[tuple[str, bytes]] = deque()
        self._closed = self._cut = False

    @property
    def connected(self) -> bool:
        """See Bus."""
        return not self._closed and not self._cut

    @property
    def refused(self) -> int:
        """Nothing is ever denied here."""
        return 0

    @property
    def dropped(self) -> int:
        """See Bus."""
        return sum(ear.to.dropped for ear in self._ears)

    def check(self) -> None:
        """See Bus."""
        if not self.connected:
            raise BusFailed("the message bus is not connected")

    def beside(self) -> "MemoryBus":
        """Another connection to the same exchange."""
        return MemoryBus(self.exchange)

    def cut(self) -> None:
        """As if the server were gone for this connection."""
        self._cut = True
        for asked in self._asked:
            if not asked.done():
                asked.set_exception(BusFailed("the connection to the message bus was lost"))

    def mend(self) -> None:
        """The server is back."""
        self._cut = False
        while self._held:
            self._send(*self._held.popleft())
        self.exchange.logs.wake()

    async def quiet(self) -> None:
        """Returns once every handler of this connection has ended."""
        while len(self._tasks):
            await self._tasks.settle(60)

    async def publish(self, subject: str, data: bytes) -> None:
        """See Bus."""
        self._sendable(checked(subject), data)
        if not self._cut:
            self._send(subject, data)
        elif sum(len(held) for _, held in self._held) + len(data) > HELD_BYTES:
            raise BusFailed("the message bus is away, and no more can be held back for it")
        else:
            self._held.append((subject, data))

    async def request(self, subject: str, data: bytes, timeout_s: float) -> bytes:
        """See Bus."""
        self._sendable(checked(subject), data)
        self.check()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def answer(answered: bytes, failed: bool) -> None:  # noqa: FBT001 as Answer has it
            if not future.done() and failed:
                future.set_exception(BusFailed(f"whoever answers on {subject} failed"))
            elif not future.done():
                future.set_result(answered)

        if not (ears := self.exchange.listeners(subject)):
            raise BusFailed(f"nobody listens on {subject}")
        for ear in ears:
            ear.to.offer(Heard(subject, data, answer))
        self._asked.add(future)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise BusFailed(f"no answer on {subject} within {timeout_s:g} s") from None
        finally:
            self._asked.discard(future)

    async def subscribe(
        self,
        subject: str,
        handler: Handler,
        *,
        queue: str | None = None,
        at_once: int = 16,
        backlog: int = 1024,
    ) -> Subscription:
        """See Bus."""
        if self._closed:
            raise BusFailed("the message bus was closed")
        pattern = checked(subject, pattern=True)
        to = Listener(pattern, handler, at_once=at_once, backlog=backlog, tasks=self._tasks)
        ear = Ear(self, pattern, queue, to)
        self._ears.append(ear)
        self.exchange.ears.append(ear)
        return ear

    async def keep(
        self,
        subject: str,
        data: bytes,
        message_id: str,
        timeout_s: float = 2.0,
        *,
        for_s: int | None = None,
        replaces: bool = False,
    ) -> int:
        """See Bus. Never waits, and keeps for ever."""
        del timeout_s
        if for_s is not None and for_s < 1:
            raise ValueError(f"for_s={for_s}: a message is kept for a second at least")
        self._sendable(checked(subject), data)
        self.check()
        sequence = self.exchange.logs.keep(subject, data, message_id, replaces=replaces)
        if sequence is None:
            raise BusFailed(f"no stream keeps {subject}")
        self._tell(subject, data)
        return sequence

    async def ensure_stream(self, stream: Stream) -> None:
        """See Bus. Domains and ages mean nothing here."""
        self.check()
        self.exchange.logs.ensure(
            stream.name,
            lambda: Log(
                subjects=stream.subjects,
                sources=tuple(source.stream for source in stream.sources),
                per_subject=stream.per_subject,
                max_bytes=stream.max_bytes,
                refuses_when_full=stream.refuses_when_full,
            ),
        )

    async def ensure_bucket(self, bucket: Bucket) -> None:
        """See Bus."""
        self.check()
        self.exchange.logs.ensure(
            f"KV_{bucket.name}",
            lambda: Log(per_subject=bucket.history, max_bytes=bucket.max_bytes),
        )

    def kv(self, bucket: str) -> KeyValues:
        """See Bus."""
        return MemoryKeyValues(self, f"KV_{bucket}")

    async def last(self, stream: str, subject: str, domain: str | None = None) -> Stored | None:
        """See Bus."""
        del domain
        line = self.log(stream).last(checked(subject))
        return None if line is None else stored(line)

    async def read(
        self,
        stream: str,
        after: int = 0,
        *,
        subject: str = ">",
        domain: str | None = None,
    ) -> AsyncIterator[Stored]:
        """See Bus."""
        del domain
        while True:
            changed = self.log(stream, or_cut=True).changed
            for line in self.log(stream, or_cut=True).after(after, subject):
                yield stored(line)
                after = line.sequence
            await changed.wait()

    async def read_now(
        self, stream: str, after: int = 0, *, subject: str = ">"
    ) -> AsyncIterator[Stored]:
        """See Bus."""
        for line in self.log(stream).after(after, subject):
            yield stored(line)

    async def count(self, stream: str, subject: str = ">") -> Mapping[str, int]:
        """See Bus."""
        checked(subject, pattern=True)
        return Counter(line.subject for line in self.log(stream).after(0, subject))

    async def erase(self, stream: str, sequence: int) -> None:
        """See Bus."""
        self.log(stream).drop(lambda line: line.sequence == sequence)

    async def purge(self, stream: str, subject: str) -> int:
        """See Bus."""
        checked(subject, pattern=True)
        return self.log(stream).drop(lambda line: matches(subject, line.subject))

    async def close(self) -> None:
        """See Bus."""
        if self._closed:
            return
        for ear in self._ears:
            ear.to.finish()
        await self._tasks.settle(_CLOSE_S)
        await self._tasks.end()
        self._closed = True
        self.exchange.ears[:] = [ear for ear in self.exchange.ears if ear.bus is not self]
        self.exchange.logs.wake()

    def log(self, name: str, *, or_cut: bool = False) -> Log:
        """A stream's or bucket's log. Raises BusFailed; waits with `or_cut` need no connection."""
        if self._closed or (self._cut and not or_cut):
            raise BusFailed("the message bus is not connected")
        if (log := self.exchange.logs.get(name)) is None:
            raise BusFailed(f"there is no {name} on the message bus")
        return log

    def _sendable(self, subject: str, data: bytes) -> None:
        if self._closed:
            raise BusFailed("the message bus was closed")
        if len(data) > MAX_BYTES:
            raise BusFailed(f"{len(data)} bytes on {subject}: at most {MAX_BYTES} are taken")

    def _send(self, subject: str, data: bytes) -> None:
        self.exchange.logs.keep(subject, data)
        self._tell(subject, data)

    def _tell(self, subject: str, data: bytes) -> None:
        for ear in self.exchange.listeners(subject):
            ear.to.offer(Heard(subject, data, None))
