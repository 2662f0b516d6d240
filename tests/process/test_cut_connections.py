"""The SDK and a real node between whom the connection breaks: not one word differs."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from heliovox.client import Client, Gap, Limits, Reconnecting, Resumed
from heliovox.client.events import Event
from heliovox.protocol import messages as m
from tests.support.cutting import cutting_proxy
from tests.support.running_node import RunningNode
from tests.support.talk import spoken

pytestmark = [pytest.mark.process, pytest.mark.anyio]
LIMIT_S = 60.0
PACKET_BYTES = 3200
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
TEXT = " ".join(word + " " * (at % 3 * 12) for at, word in enumerate(WORDS)) * 12
AUDIO = spoken(TEXT)


async def conversation(client: Client) -> list[Event]:
    """A whole session: audio as fast as the node takes it, a flush now and then."""
    async with asyncio.timeout(LIMIT_S), client.session(endpoint_silence_ms=400) as session:

        async def send() -> None:
            for number, at in enumerate(range(0, len(AUDIO), PACKET_BYTES)):
                await session.send(AUDIO[at : at + PACKET_BYTES])
                if number % 25 == 0:
                    await session.flush(f"f{number}")
                await asyncio.sleep(0)
            await session.finish()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            return [event async for event in session]
    raise AssertionError("unreachable")


def said(events: list[Event]) -> list[object]:
    """What may not differ."""
    finals: list[object] = [one for one in events if isinstance(one, m.Final)]
    flushes = [(one.id, one.through_sample) for one in events if isinstance(one, m.Flushed)]
    ends = [(one.finals, one.audio_ms) for one in events if isinstance(one, m.Ended)]
    return [*finals, *flushes, *ends]


def budgets(seed: int, count: int) -> Iterator[int]:
    rng = random.Random(seed)
    yield from (rng.randrange(2, 2 * len(AUDIO) // count) for _ in range(count))


async def test_a_connection_cut_twenty_times_at_any_byte_costs_no_word(node: RunningNode) -> None:
    """In a handshake, in a message, in audio: what was on its way is lost, and is said again."""
    undisturbed = await conversation(Client(node.url, node.key, proxy=None))
    async with cutting_proxy(node.port, budgets(seed=7, count=20)) as proxy:
        events = await conversation(Client(f"127.0.0.1:{proxy.port}", node.key, proxy=None))
    assert proxy.cuts == 20
    assert sum(isinstance(event, Resumed) for event in events) >= 5
    assert not any(isinstance(event, Gap) for event in events)
    assert len([one for one in undisturbed if isinstance(one, m.Final)]) > 20
    assert said(events) == said(undisturbed)


async def test_a_link_that_goes_silent_is_noticed_and_gone_on_without(node: RunningNode) -> None:
    limits = Limits(detect_s=0.4, reach_s=0.4)
    heard: list[Event] = []
    async with cutting_proxy(node.port, iter(())) as proxy:
        client = Client(f"127.0.0.1:{proxy.port}", node.key, proxy=None, limits=limits)
        async with asyncio.timeout(LIMIT_S), client.session() as session:
            await session.send(spoken("hello "))
            proxy.darken()
            async for event in session:
                heard.append(event)
                if isinstance(event, Reconnecting) and event.attempt == 2:
                    proxy.light.set()
                if isinstance(event, Resumed):
                    await session.send(spoken("there"))
                    await session.finish()
    assert [one.text for one in heard if isinstance(one, m.Final)] == ["hello there"]
