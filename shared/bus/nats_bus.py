"""The bus over a NATS server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.errors import Error

from shared.bus import jetstream
from shared.bus.calls import Calls
from shared.bus.following import Follower
from shared.bus.link import Link
from shared.bus.listening import Answer, Heard, Listener
from shared.bus.matching import checked
from shared.bus.model import Bucket, Handler, KeyValues, Stored, Stream, Subscription
from shared.bus.nats_kv import NatsKeyValues
from shared.credentials import read_seed
from shared.errors import BusFailed, BusRefused
from shared.tasks import Tasks

WAIT_S = 5.0
_CLOSE_S = 2.0
_PENDING = 4096
"""What the client may read at one go; it is handed on before more is read."""
_FAILED = {"Nats-Service-Error-Code": "500", "Nats-Service-Error": "the handler failed"}
"""So NATS's own services say it."""


class _Ear:
    """One subscription, on whichever client there is."""

    def __init__(
        self, link: Link, pattern: str, queue: str | None, to: Listener, backlog: int
    ) -> None:
        self._link, self.pattern, self._queue, self.to = link, pattern, queue, to
        self._on: NatsSubscription | None = None
        self._pending = backlog + _PENDING
        self._ended = False

    async def attach(self, client: Client) -> None:
        """Raises nats's Error."""
        if not self._ended:
            # the queue in the client is emptied at once into the listener's own, which is bounded
            self._on = await client.subscribe(
                self.pattern, self._queue or "", cb=self._hear, pending_msgs_limit=self._pending
            )

    async def end(self) -> None:
        """See Subscription."""
        self.to.end()
        await self.drain(unsubscribe_only=True)

    async def drain(self, *, unsubscribe_only: bool = False) -> None:
        """Hears what was sent so far, and no more."""
        on, self._on, self._ended = self._on, None, True
        if on is not None:
            with suppress(Error, OSError):
                await (on.unsubscribe() if unsubscribe_only else on.drain())  # type: ignore[no-untyped-call]

    async def _hear(self, message: Msg) -> None:
        answer = self._answer_to(message.reply) if message.reply else None
        self.to.offer(Heard(message.subject, message.data, answer))

    def _answer_to(self, reply: str) -> Answer:
        async def answer(data: bytes, failed: bool) -> None:  # noqa: FBT001 as Answer has it
            await self._link.publish(reply, data, headers=_FAILED if failed else None)

        return answer


class NatsBus:
    """See Bus."""

    def __init__(self, url: str, seed_file: Path | None, *, name: str, inbox_prefix: str) -> None:
        """`connect` is the way to have one."""
        self._ears: list[_Ear] = []
        self._tasks = Tasks()
        self._closed = False
        self._link = Link(
            url, seed_file, name=name, inbox_prefix=inbox_prefix, connected=self._attach
        )
        self._calls = Calls(self._link)

    @classmethod
    async def connect(
        cls,
        url: str,
        seed_file: Path | None,
        *,
        name: str,
        inbox_prefix: str,
        wait_s: float = WAIT_S,
    ) -> Self:
        """A connection that is kept up until it is closed.

        Args:
            url: `nats://host:port`.
            seed_file: of the nkey to connect with. None: a server that asks for none.
            name: what the server calls us in its lists.
            inbox_prefix: where answers come to: `_INBOX.<name>` of a node or control plane.
            wait_s: for the server. 0: it may come whenever it likes, and until then `connected` is
                false; whoever must serve without the bus takes that.

        Raises:
            CredentialsRefused: the seed file is none.
            BusRefused: the server does not know the key (where it was waited for).
            BusFailed: no server in time (likewise).
        """
        if seed_file is not None:
            read_seed(seed_file)
        bus = cls(url, seed_file, name=name, inbox_prefix=inbox_prefix)
        bus._link.begin()
        if wait_s > 0:
            try:
                await bus._link.up(wait_s)
            except BaseException:
                await bus.close()
                raise
        return bus

    @property
    def connected(self) -> bool:
        """See Bus."""
        return self._link.connected

    @property
    def refused(self) -> int:
        """See Bus."""
        return self._link.denials.count

    @property
    def dropped(self) -> int:
        """See Bus."""
        return self._link.dropped + sum(ear.to.dropped for ear in self._ears)

    def check(self) -> None:
        """See Bus."""
        self._link.client()

    async def publish(self, subject: str, data: bytes) -> None:
        """See Bus."""
        await self._link.publish(checked(subject), data)

    async def request(self, subject: str, data: bytes, timeout_s: float) -> bytes:
        """See Bus."""
        message = await self._link.ask(checked(subject), data, timeout_s)
        if message.headers and "Nats-Service-Error-Code" in message.headers:
            raise BusFailed(f"whoever answers on {subject} failed")
        return message.data

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
        ear = _Ear(self._link, pattern, queue, to, backlog)
        self._ears.append(ear)
        if self._link.connected:
            await self._attach_now(ear)
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
        """See Bus."""
        headers = jetstream.headers_of(message_id, for_s, replaces=replaces)
        return await self._calls.store(checked(subject), data, timeout_s, headers)

    async def ensure_stream(self, stream: Stream) -> None:
        """See Bus."""
        await self._ensure(stream.name, jetstream.stream_config(stream), stream.domain)

    async def ensure_bucket(self, bucket: Bucket) -> None:
        """See Bus."""
        await self._ensure(f"KV_{bucket.name}", jetstream.bucket_config(bucket), None)

    def kv(self, bucket: str) -> KeyValues:
        """See Bus."""
        return NatsKeyValues(self._calls, bucket)

    async def last(self, stream: str, subject: str, domain: str | None = None) -> Stored | None:
        """See Bus."""
        message = await self._calls.last(stream, checked(subject), domain)
        if message is None:
            return None
        headers = message.headers or {}
        return Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data)

    async def read(
        self,
        stream: str,
        after: int = 0,
        *,
        subject: str = ">",
        domain: str | None = None,
    ) -> AsyncIterator[Stored]:
        """See Bus."""
        async with aclosing(
            Follower(self._calls, stream, subject, domain, after).run()
        ) as delivered:
            async for one in delivered:
                if one is not None:
                    yield Stored(one.sequence, one.subject, one.data)

    async def read_now(
        self, stream: str, after: int = 0, *, subject: str = ">"
    ) -> AsyncIterator[Stored]:
        """See Bus."""
        follower = Follower(self._calls, stream, subject, None, after)
        async with aclosing(follower.run()) as delivered:
            async for one in delivered:
                if one is None:
                    return
                yield Stored(one.sequence, one.subject, one.data)

    async def count(self, stream: str, subject: str = ">") -> Mapping[str, int]:
        """See Bus."""
        return await self._calls.count(stream, checked(subject, pattern=True))

    async def erase(self, stream: str, sequence: int) -> None:
        """See Bus."""
        await self._calls.erase(stream, sequence)

    async def purge(self, stream: str, subject: str) -> int:
        """See Bus."""
        return await self._calls.purge(stream, checked(subject, pattern=True))

    async def close(self) -> None:
        """See Bus."""
        if self._closed:
            return
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*(ear.drain() for ear in self._ears))
                for ear in self._ears:
                    ear.to.finish()
                await self._tasks.settle(_CLOSE_S)
        await self._tasks.end()
        await self._link.close(_CLOSE_S)

    async def _attach(self, client: Client) -> None:
        """A new client hears nothing yet."""
        for ear in self._ears:
            await ear.attach(client)

    async def _attach_now(self, ear: _Ear) -> None:
        """So that a denial is known here, and not later from the log."""
        self._link.denials.forget("subscription", ear.pattern)
        try:
            await ear.attach(self._link.client())
            await self._link.flush()
        except (Error, OSError, BusFailed):
            return  # lost meanwhile: the next connection listens
        if self._link.denials.has("subscription", ear.pattern):
            self._ears.remove(ear)
            await ear.end()
            raise BusRefused(f"the message bus denies listening on {ear.pattern}")

    async def _ensure(self, name: str, config: dict[str, object], domain: str | None) -> None:
        """Changes it, or makes it, in this order.

        The server weighs a `CREATE` of what is there as a second one beside it, and refuses that
        where the two would not fit its storage.
        """
        for verb, unless in (
            ("UPDATE", jetstream.STREAM_NOT_FOUND),
            ("CREATE", jetstream.NAME_IN_USE),
        ):
            try:
                await self._calls.call(f"STREAM.{verb}.{name}", config, domain)
            except jetstream.JetStreamFailed as error:
                if error.number != unless:
                    raise
            else:
                return
        await self._calls.call(f"STREAM.UPDATE.{name}", config, domain)  # made by another just now
