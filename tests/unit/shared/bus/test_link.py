"""Waits on the bus end when their task is to end, whatever the client library made of it."""

import asyncio
import contextlib

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.link import Link
from shared.tasks import Tasks

pytestmark = pytest.mark.anyio


async def test_a_cancellation_that_the_library_lost_still_counts() -> None:
    """Python 3.11's asyncio.wait_for swallows one that comes in the moment of the answer."""
    link = Link.__new__(Link)
    link._waiting = set()
    begun = asyncio.Event()

    async def loses_it() -> Msg:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return Msg(_client=Client(), subject="a", data=b"")

    tasks = Tasks()
    asker = tasks.begin(link.waiting("a", loses_it(), 60.0), "asker")
    await begun.wait()
    asker.cancel()
    await asyncio.wait([asker])
    assert asker.cancelled()
    await tasks.end()
