"""A relay holds back whoever is faster, and leaves nothing behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from edge_node.relaying import HIGH_BYTES, Relay, Relays
from heliovox.protocol import messages as m
from shared.errors import NoRoom
from shared.exchange import PlaceAnswer
from shared.tasks import Tasks
from tests.support.fleet import LIMIT_S, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Caller:
    """A peer."""

    def __init__(self) -> None:
        self.texts: list[dict[str, Any]] = []
        self.audio_bytes = 0
        self.reading = True
        self.closed: tuple[int, str] | None = None
        self.can_write = asyncio.Event()
        self.can_write.set()

    def send_text(self, data: bytes) -> None:
        self.texts.append(json.loads(data))

    def send_audio(self, data: bytes) -> None:
        self.audio_bytes += len(data)

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def hung_up(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Far:
    """The other node: takes what comes once it may."""

    def __init__(self) -> None:
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.heard: list[str | bytes] = []
        self.shown = ""
        self.over = asyncio.Event()
        self.connection: ServerConnection | None = None

    async def take(self, connection: ServerConnection) -> None:
        self.connection = connection
        assert connection.request is not None
        self.shown = connection.request.headers["Authorization"]
        try:
            await self.may_read.wait()
            async for message in connection:
                self.heard.append(message)
        finally:
            self.over.set()

    @property
    def audio_bytes(self) -> int:
        return sum(len(one) for one in self.heard if isinstance(one, bytes))


@asynccontextmanager
async def relayed(
    start: m.Start = m.Start(key="secret", redirect=False),  # noqa: B008 frozen
) -> AsyncIterator[tuple[Caller, Far, Relay, Relays]]:
    far, caller, tasks = Far(), Caller(), Tasks()
    relays = Relays(1, "n-1")
    async with serve(far.take, "127.0.0.1", 0, compression=None, max_queue=2) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        answer = PlaceAnswer(True, "s-1", "n-2", "eu-west", url, "the-ticket", "d-1")
        relay = relays.open(caller, caller.can_write, answer, start, tasks)
        try:
            yield caller, far, relay, relays
        finally:
            await tasks.end()
            far.may_read.set()
    assert relays.live == 0


async def test_the_other_node_sees_a_ticket_and_never_the_key() -> None:
    async with relayed() as (_, far, _relay, _relays):
        await until(lambda: far.heard)
        assert far.shown == "Ticket the-ticket"
        start = json.loads(far.heard[0])
        assert (start["type"], start["key"], start["ticket"]) == ("start", None, None)


async def test_a_caller_who_is_faster_is_held_back_and_loses_nothing() -> None:
    async with relayed() as (caller, far, relay, _):
        far.may_read.clear()
        sent = 0
        async with asyncio.timeout(LIMIT_S):
            while caller.reading:
                relay.audio(bytes(32_000))
                sent += 32_000
                await asyncio.sleep(0)
        assert relay._bytes <= HIGH_BYTES + 33_000
        far.may_read.set()
        await until(lambda: caller.reading)
        await until(lambda: far.audio_bytes == sent)


async def test_a_node_that_is_faster_than_its_caller_is_held_back() -> None:
    async with relayed() as (caller, far, _relay, _):
        await until(lambda: far.connection)
        caller.can_write.clear()
        assert far.connection is not None

        async def flood(connection: ServerConnection) -> None:
            for _ in range(400):
                await connection.send(bytes(65_536))

        flooding = asyncio.ensure_future(flood(far.connection))  # noqa: TID251
        done, _ = await asyncio.wait([flooding], timeout=0.5)
        assert not done
        assert caller.audio_bytes == 0
        caller.can_write.set()
        async with asyncio.timeout(LIMIT_S):
            await flooding
        await until(lambda: caller.audio_bytes == 400 * 65_536)


async def test_one_more_than_may_be_is_refused() -> None:
    async with relayed() as (caller, _, _relay, relays):
        answer = PlaceAnswer(True, url="ws://other")
        with pytest.raises(NoRoom, match="1 of 1"):
            relays.open(caller, caller.can_write, answer, m.Start(), Tasks())


async def test_the_other_node_hears_that_the_caller_is_gone() -> None:
    async with relayed() as (_, far, relay, relays):
        await until(lambda: far.heard)
        relay.lost()
        async with asyncio.timeout(LIMIT_S):
            await far.over.wait()
        await until(lambda: relays.live == 0)


async def test_a_node_that_is_not_there_is_told_of() -> None:
    caller, tasks, relays = Caller(), Tasks(), Relays(1)
    answer = PlaceAnswer(True, "s", "n-2", "eu-west", "ws://127.0.0.1:9", "t", "d")
    _ = relays.open(caller, caller.can_write, answer, m.Start(), tasks)
    await until(lambda: caller.closed)
    assert caller.closed == (1013, "no_room")
    assert (caller.texts[0]["code"], caller.texts[0]["value"]) == ("no_room", "n-2")
    await until(lambda: relays.live == 0)
    assert (relays.opened, relays.failed) == (1, 1)
