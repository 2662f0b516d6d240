"""Callers without end: long sessions, short ones, ones that hang up, texts that are said."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from heliovox.client.client import Client
from heliovox.client.errors import ClientError
from heliovox.protocol import messages as m

PIECE = 3200
SHORT_S = (2.0, 20.0)
HANG_UP = 0.2
"""The share of short sessions that end without a word."""
SAY = 0.2
"""The share that have a text said instead."""
AGAIN_S = 0.5
TEXT = "Your order number is four seven one one."


class Load:
    """What callers do to one node.

    Args:
        client: to it.
        audio: PCM, 16 bits at 16 kHz.
        rng: draws what they do.
    """

    def __init__(self, client: Client, audio: bytes, rng: random.Random) -> None:
        self._client, self._audio, self._rng = client, audio, rng
        self.counts: Counter[str] = Counter()
        self.audio_s = 0.0
        """Speech sent so far."""

    async def long(self) -> None:
        """One session from now on; never returns."""
        async with self._client.session(partials=True) as session:
            self.counts["long sessions"] += 1

            async def send() -> None:
                while True:
                    await self._send(session.send, self._audio)

            async with asyncio.TaskGroup() as group:
                group.create_task(send(), name="long")
                async for event in session:
                    self.counts["finals"] += isinstance(event, m.Final)

    async def short(self) -> None:
        """One session after the other; never returns."""
        while True:
            try:
                await self._one()
            except ClientError as error:  # the next one has better luck; the count is told
                self.counts[type(error).__name__] += 1
                await asyncio.sleep(AGAIN_S)

    async def _one(self) -> None:
        drawn = self._rng.random()
        if drawn < SAY:
            async with self._client.session("synthesis") as session:
                async for _ in session.say(TEXT):
                    pass
                self.counts["texts"] += 1
            return
        length = int(self._rng.uniform(*SHORT_S) * 16000) * 2
        async with self._client.session() as session:
            await self._send(session.send, self._audio[:length])
            self.counts["short sessions"] += 1
            if drawn < SAY + HANG_UP:
                return
            await session.finish()
            async for event in session:
                self.counts["finals"] += isinstance(event, m.Final)

    async def _send(self, send: Callable[[bytes], Awaitable[None]], audio: bytes) -> None:
        for at in range(0, len(audio), PIECE):
            await send(audio[at : at + PIECE])
            self.audio_s += PIECE / 32000


def mixed(pieces: Sequence[bytes], rng: random.Random, count: int) -> bytes:
    """Sentences one after the other, half a second between."""
    pause = bytes(16000)
    return b"".join(rng.choice(pieces) + pause for _ in range(count))
