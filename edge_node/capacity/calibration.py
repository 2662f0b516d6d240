"""A node measures itself before it is ready: the recogniser where it is loaded, the voice after."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from edge_node.capacity.calibrate import (
    BUDGET_S,
    TEXT,
    Cache,
    Measured,
    calibrating,
    device_name,
    facts_of,
    key_of,
    measure_steps,
    watch_for,
)
from edge_node.capacity.load import Machine, capacities
from edge_node.settings import EdgeSettings
from edge_node.stt.engine import Engine
from edge_node.tts.events import SpeechChunk
from edge_node.tts.service import Speech
from heliovox import __version__
from shared.clock import Clock

_log = logging.getLogger(__name__)

_TEXTS = 3
_VOICE_LIMIT_S = 60.0


class Calibration:
    """A service that has nothing more to do once it is ready.

    Args:
        tell: given how many sessions of each kind fit.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        speech: Speech,
        clock: Clock,
        tell: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._settings, self._speech, self._clock, self._tell = settings, speech, clock, tell
        self._cache = Cache(settings.capacity.cache_dir)
        self._facts: dict[str, object] = {
            "device": device_name(settings.provider),
            "provider": settings.provider,
            "share": settings.capacity.share,
            "version": __version__,
        }
        self._machine: Machine | None = None

    def wrapped(self, make: Callable[[], Engine]) -> Callable[[], Engine]:
        """Makes an engine and measures it, on the thread that will own it."""
        return calibrating(make, self._measure_engine) if self._on else make

    @property
    def _on(self) -> bool:
        return self._settings.region is not None and self._settings.capacity.calibrate

    def _measure_engine(self, engine: Engine) -> None:
        profile, largest = engine.profile, self._settings.batch.max_streams
        key = key_of(
            what="steps",
            model=profile.model_hash,
            variant=profile.variant,
            engine=self._settings.engine,
            graph=profile.graph,
            largest=largest,
            **self._facts,
        )
        watch = watch_for(self._settings.provider, self._clock.now_s)

        def measure() -> Measured:
            measured = measure_steps(engine, largest, watch)
            if not measured.whole:
                _log.warning(
                    "measured no batches above %d in %g s: without them fewer sessions fit than "
                    "could; the next start measures again",
                    measured.costs[-1].batch,
                    BUDGET_S,
                )
            return measured

        steps = self._cache.steps(key, measure)
        self._machine = Machine(steps, profile.chunk_samples / profile.sample_rate, None)
        _log.info("steps take %s", facts_of(steps))

    async def run(self, ready: asyncio.Event) -> None:
        """Measures the voice, says what fits, then until cancelled."""
        if (machine := self._machine) is not None:
            whole = Machine(machine.steps, machine.chunk_s, await self._voice_s())
            capacity = self._settings.capacity
            fits = capacities(whole, step_p95_ms=capacity.step_p95_ms, share=capacity.share)
            _log.info("a share of %g of this machine fits %s", capacity.share, dict(fits))
            self._tell(fits)
        ready.set()
        await asyncio.Event().wait()

    async def _voice_s(self) -> float | None:
        if not self._speech.voices:
            return None
        key = key_of(what="voice", voices=self._speech.voices, **self._facts)
        loop = asyncio.get_running_loop()

        def measure() -> float:  # on a thread of its own, as it may have to wait for its turn
            saying = asyncio.run_coroutine_threadsafe(self._say(), loop)
            return saying.result(_VOICE_LIMIT_S)

        return await asyncio.to_thread(self._cache.voice_s, key, measure)

    async def _say(self) -> float:
        """Work for a second of speech, as the process' CPU time: voices run on the processor."""
        costs: list[float] = []
        for _ in range(_TEXTS):
            began_s, spoken_s = time.process_time(), 0.0
            async for event in self._speech.speak(TEXT, self._speech.voices[0], 1.0):
                if isinstance(event, SpeechChunk):
                    spoken_s += len(event.samples) / event.sample_rate
            costs.append((time.process_time() - began_s) / spoken_s)
        return sorted(costs)[len(costs) // 2]
