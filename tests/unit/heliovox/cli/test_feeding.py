import asyncio
import threading
from collections.abc import Iterator

import pytest

from heliovox.cli.feeding import AHEAD, Feed
from heliovox.client import UnreadableAudio

pytestmark = pytest.mark.anyio
LIMIT_S = 10.0


async def test_all_pieces_come_in_order() -> None:
    pieces = [bytes([number]) for number in range(50)]
    async with asyncio.timeout(LIMIT_S):
        assert [piece async for piece in Feed(iter(pieces))] == pieces


async def test_what_reading_raises_is_raised_after_what_was_read() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise UnreadableAudio("it", "broken", "mend it")

    pieces = aiter(Feed(broken()))
    async with asyncio.timeout(LIMIT_S):
        assert await anext(pieces) == b"a"
        with pytest.raises(UnreadableAudio):
            await anext(pieces)


async def test_a_source_that_never_ends_is_stopped() -> None:
    """As a pipe that nobody writes to any more, or a microphone."""
    waiting = threading.Event()

    def endless() -> Iterator[bytes]:
        yield b"a"
        waiting.wait(LIMIT_S)
        yield b"b"

    feed, got = Feed(endless()), []
    async with asyncio.timeout(LIMIT_S):
        async for piece in feed:
            got.append(piece)
            feed.stop()
    waiting.set()
    assert got == [b"a"]


async def test_a_reader_that_is_slow_is_not_run_ahead_of() -> None:
    read = 0
    beyond = threading.Event()

    def counted() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            if read > AHEAD + 1:
                beyond.set()
            yield b"a"

    feed = Feed(counted())
    async with asyncio.timeout(LIMIT_S):
        pieces = aiter(feed)
        await anext(pieces)
        await asyncio.to_thread(beyond.wait, LIMIT_S)  # one was taken: exactly one more is read
        assert read == AHEAD + 2
        feed.stop()
        assert len([piece async for piece in pieces]) == AHEAD
