"""The node's synthesis service: text on the event loop, work on threads of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from edge_node.tts.clauses import clauses
from edge_node.tts.engine import Reader, VoiceEngine, check_speed
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from shared.errors import EngineFailed

_T = TypeVar("_T")
Events = tuple[VoiceSwitch | SpeechChunk, ...]


class SpeechService:
    """Speaks clause by clause, one clause ahead of its reader.

    Args:
        voices: names, known before anything is loaded; the first is the default.
        load: makes the engine, on the synthesis thread; slow, and may raise ModelRefused.
        threads: how many clauses are made at once.
        longest_clause_s: how long one clause may wait and be made, usually 50 ms; then its text
            ends with an error.
    """

    def __init__(
        self,
        voices: tuple[str, ...],
        load: Callable[[], VoiceEngine],
        threads: int = 1,
        longest_clause_s: float = 20.0,
    ) -> None:
        self._longest_clause_s = longest_clause_s
        self.voices, self._load, self._threads = voices, load, threads
        self._engine: VoiceEngine | None = None
        self._pool: ThreadPoolExecutor | None = None

    async def run(self, ready: asyncio.Event) -> None:
        """Loads and warms up, then until cancelled. Raises ModelRefused or EngineFailed."""
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="synthesis")
        try:
            self._engine = await asyncio.get_running_loop().run_in_executor(pool, self._loaded)
            self._pool = pool
            ready.set()
            await asyncio.Event().wait()
        finally:
            self._pool = self._engine = None
            pool.shutdown(wait=False, cancel_futures=True)

    def _loaded(self) -> VoiceEngine:
        engine = self._load()
        engine.warm_up()
        return engine

    def check(self) -> str | None:
        """What is wrong, if nothing can be said at all."""
        if self._engine is None:
            return "voices are not loaded"
        states = self._engine.states()
        return "every voice's circuit is open" if "closed" not in states.values() else None

    async def speak(
        self, text: str, voice: str, speed: float
    ) -> AsyncIterator[SpeechChunk | VoiceSwitch]:
        """A text's audio; an empty `voice` is the default one.

        Raises:
            Unsupported, TooBig, NothingToSay: before any audio, where it cannot be spoken.
            EngineFailed: where no voice could, or the service does not run.
        """
        check_speed(speed)
        engine = self._running()
        reader = engine.reader(voice or self.voices[0])
        pending = clauses(text)
        made = self._submit(lambda: _next(engine, pending, reader, speed))
        try:
            while events := await self._within(made):
                made = self._submit(lambda: _next(engine, pending, reader, speed))
                for event in events:
                    yield event
        finally:
            made.cancel()

    def _running(self) -> VoiceEngine:
        if self._engine is None:
            raise EngineFailed("the voices are not loaded", remedy="wait until the node is ready")
        return self._engine

    def _submit(self, work: Callable[[], _T]) -> "asyncio.Future[_T]":
        if self._pool is None:
            raise EngineFailed("the voices are shut down", remedy="try another node")
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _within(self, made: "asyncio.Future[Events]") -> Events:
        try:
            async with asyncio.timeout(self._longest_clause_s):
                return await made
        except TimeoutError as late:
            raise EngineFailed(
                f"a clause was not made within {self._longest_clause_s} s",
                remedy="try another node, or this one later",
            ) from late


def _next(engine: VoiceEngine, pending: Iterator[str], reader: Reader, speed: float) -> Events:
    """The next clause's events; none after the last. On a synthesis thread."""
    clause = next(pending, None)
    return () if clause is None else engine.say(clause, reader, speed)
