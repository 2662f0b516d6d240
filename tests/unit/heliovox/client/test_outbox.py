import asyncio
from typing import cast

import pytest
from websockets.asyncio.client import ClientConnection

from heliovox.client.outbox import Outbox
from heliovox.protocol import messages as m
from heliovox.protocol.codec import encode

pytestmark = pytest.mark.anyio


class Pipe:
    """A socket that takes one message for each time that it is let."""

    def __init__(self) -> None:
        self.took: list[bytes] = []
        self.room = asyncio.Semaphore(0)
        self.asked = asyncio.Event()

    async def send(self, data: bytes, *, text: bool) -> None:
        self.asked.set()
        await self.room.acquire()
        self.took.append(data)


async def test_an_acknowledgement_waits_for_whoever_is_sending() -> None:
    """A reader goes on reading while the node reads nothing: it may be waiting for us to read."""
    pipe = Pipe()
    outbox = Outbox(cast("ClientConnection", pipe))
    async with asyncio.TaskGroup() as group:
        group.create_task(outbox.audio(b"audio"))
        await pipe.asked.wait()
        async with asyncio.timeout(1):
            await outbox.acknowledge(m.Ack(1))
            await outbox.acknowledge(m.Ack(2))
        assert pipe.took == []
        pipe.room.release()
        pipe.room.release()
    assert pipe.took == [b"audio", encode(m.Ack(2))]


async def test_a_sign_of_life_is_given_only_where_there_was_none() -> None:
    pipe = Pipe()
    outbox = Outbox(cast("ClientConnection", pipe))
    for _ in range(3):
        pipe.room.release()
    await outbox.audio(b"audio")
    await outbox.keep_alive()
    await outbox.keep_alive()
    assert pipe.took == [b"audio", encode(m.KeepAlive())]
