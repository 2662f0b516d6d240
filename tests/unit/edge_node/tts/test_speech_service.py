"""The service: lazily, one clause ahead, off the loop, and it ends when its reader goes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_node.tts.breaker import Breaker
from edge_node.tts.engine import VoiceEngine
from edge_node.tts.events import SpeechChunk
from edge_node.tts.front_end import english
from edge_node.tts.speech import SpeechService
from shared.errors import EngineFailed, NothingToSay, Unsupported

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class CountingVoice:
    """Counts clauses; remembers the thread it was called on."""

    name = "only"

    def __init__(self) -> None:
        self.asked, self.threads = 0, set[str]()

    def say(self, symbols: Sequence[str], speed: float) -> NDArray[np.float32]:
        self.asked += 1
        self.threads.add(threading.current_thread().name)
        return np.full(len(symbols), speed, np.float32)


@asynccontextmanager
async def running(
    voice: CountingVoice, longest_clause_s: float = 20.0
) -> AsyncIterator[SpeechService]:
    engine = VoiceEngine([voice], "only", english(), lambda: 0.0, Breaker())
    service, ready = SpeechService(("only",), lambda: engine, 1, longest_clause_s), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.run(ready))
        await ready.wait()
        yield service
        task.cancel()


async def spoken(service: SpeechService, text: str, voice: str = "", speed: float = 1.0) -> int:
    events = [event async for event in service.speak(text, voice, speed)]
    assert all(isinstance(event, SpeechChunk) for event in events)
    return len(events)


async def test_a_chunk_a_clause_and_never_on_the_loops_thread() -> None:
    voice = CountingVoice()
    async with running(voice) as service:
        assert await spoken(service, "One is here. Two is here. Three is here.") == 3
    assert threading.current_thread().name not in voice.threads


async def test_only_one_clause_is_made_ahead_of_the_reader() -> None:
    voice = CountingVoice()
    async with running(voice) as service:
        warm = voice.asked
        stream = service.speak("Word is here. " * 500, "only", 1.0)
        await anext(stream)
        await stream.aclose()
        assert await spoken(service, "Done.") == 1  # the one thread has nothing else left to do
        assert voice.asked - warm <= 3


async def test_what_cannot_be_said_is_an_error_before_audio() -> None:
    async with running(CountingVoice()) as service:
        with pytest.raises(NothingToSay):
            await spoken(service, "...")
        with pytest.raises(Unsupported, match="speed"):
            await spoken(service, "hello", speed=9.0)
        with pytest.raises(Unsupported, match="nobody"):
            await spoken(service, "hello", voice="nobody")
        assert await spoken(service, "still here") == 1


async def test_before_and_after_it_runs_it_says_that_it_does_not() -> None:
    voice = CountingVoice()
    async with running(voice) as service:
        assert service.check() is None
    assert service.check() is not None
    with pytest.raises(EngineFailed):
        await spoken(service, "hello")


async def test_a_failure_while_loading_is_the_services_failure() -> None:
    def load() -> VoiceEngine:
        raise EngineFailed("no such file")

    with pytest.raises(EngineFailed):
        await SpeechService(("only",), load).run(asyncio.Event())


async def test_a_voice_that_hangs_ends_the_text_and_not_the_caller() -> None:
    class Hanging(CountingVoice):
        def say(self, symbols: Sequence[str], speed: float) -> NDArray[np.float32]:
            if self.asked:
                go_on.wait()
            return super().say(symbols, speed)

    go_on = threading.Event()
    try:
        async with running(Hanging(), longest_clause_s=0.01) as service:
            with pytest.raises(EngineFailed, match="within"):
                await spoken(service, "hello")
            go_on.set()
    finally:
        go_on.set()
