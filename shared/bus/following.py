"""Reading a stream for ever: a consumer that is made anew whenever it is lost."""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.errors import Error

from shared.bus import jetstream
from shared.bus.calls import Calls
from shared.bus.link import NoAnswer
from shared.errors import BusFailed, BusRefused

log = logging.getLogger(__name__)

BATCH = 256
"""Messages that may be on their way to one reader."""
EXPIRES_S = 5.0
"""How long the server holds a request for messages when there are none."""
_GRACE_S = 1.0
_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message and where it stands."""

    sequence: int
    subject: str
    data: bytes
    deleted: bool


class _Lost(Exception):
    """The consumer is gone: make another."""


class Follower:
    """One reader's place in one stream.

    Args:
        calls: to JetStream.
        stream: its name.
        subject: what of it.
        domain: of the server that keeps it.
        after: begin behind this sequence; None for the last of each subject first.
    """

    def __init__(
        self, calls: Calls, stream: str, subject: str, domain: str | None, after: int | None
    ) -> None:
        self._calls, self._stream, self._subject, self._domain = calls, stream, subject, domain
        self._latest_first = after is None
        self._after = after or 0
        self._caught_up = False

    async def run(self) -> AsyncGenerator[Delivered | None, None]:
        """Messages; None once, where all that was there at first is out."""
        while True:
            await self._calls.link.up()
            try:
                async for delivered in self._one_consumer():
                    yield delivered
            except BusRefused:
                raise
            except jetstream.JetStreamFailed as error:
                if error.number == jetstream.STREAM_NOT_FOUND:
                    raise
                log.warning("reading %s: %s", self._stream, error)
            except (_Lost, BusFailed) as error:
                log.debug("reading %s: %s", self._stream, error)
            await asyncio.sleep(_PAUSE_S)

    async def _one_consumer(self) -> AsyncGenerator[Delivered | None, None]:
        """Until it is lost."""
        client, losses = self._calls.link.client(), self._calls.link.losses
        name = f"reader-{secrets.token_hex(8)}"
        pending = await self._create(name)
        queue: asyncio.Queue[Msg] = asyncio.Queue()  # bounded by what is asked for
        try:
            inbox = client.new_inbox()
            subscription = await client.subscribe(inbox, cb=queue.put)
        except Error as error:
            raise BusFailed(str(error)) from None
        try:
            if pending == 0 and not self._caught_up:
                self._caught_up = True
                yield None
            while True:
                async for delivered in self._batch(name, inbox, queue, losses):
                    yield delivered
        finally:
            with suppress(Error):
                await subscription.unsubscribe()
            await self._forget(name)

    async def _create(self, name: str) -> int:
        """Returns how many messages wait for it."""
        latest = self._latest_first and not self._caught_up
        config = jetstream.consumer_config(
            name, self._subject, after=None if latest else self._after
        )
        made = await self._calls.call(
            jetstream.consumer_verb(self._stream, name, self._subject),
            {"stream_name": self._stream, "config": config},
            self._domain,
        )
        return int(made.get("num_pending", 0))

    async def _batch(
        self, name: str, inbox: str, queue: asyncio.Queue[Msg], losses: int
    ) -> AsyncGenerator[Delivered | None, None]:
        """What one request brings. Raises _Lost, BusFailed."""
        subject = jetstream.api(f"CONSUMER.MSG.NEXT.{self._stream}.{name}", self._domain)
        await self._calls.link.publish(subject, jetstream.next_body(BATCH, EXPIRES_S), inbox)
        for _ in range(BATCH):
            if self._calls.link.losses != losses:
                raise _Lost("the connection was lost meanwhile")
            try:
                message = await self._calls.link.waiting(subject, queue.get(), EXPIRES_S + _GRACE_S)
            except NoAnswer as error:
                raise _Lost(str(error)) from None
            if (status := (message.headers or {}).get(jetstream.STATUS)) is not None:
                if status in ("404", "408"):
                    return  # nothing came in time: ask again
                raise _Lost(f"status {status}")
            at = jetstream.position(message.reply)
            self._after = at.sequence
            yield Delivered(
                at.sequence,
                message.subject,
                message.data,
                jetstream.is_deleted(message.headers),
            )
            if at.pending == 0 and not self._caught_up:
                self._caught_up = True
                yield None

    async def _forget(self, name: str) -> None:
        """The server would throw it away by itself; this is sooner."""
        subject = jetstream.api(f"CONSUMER.DELETE.{self._stream}.{name}", self._domain)
        with suppress(BusFailed):
            if self._calls.link.connected:
                await self._calls.link.publish(subject, json.dumps({}).encode())
