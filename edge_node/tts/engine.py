"""Says clauses with the voices of a node, and with the fallback where a voice fails."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_node.tts.breaker import Breaker
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from edge_node.tts.pronounce import Pronouncer
from edge_node.tts.voice import SAMPLE_RATE, Voice, checked
from shared.errors import EngineFailed, Unsupported

SLOWEST: Final = 0.5
FASTEST: Final = 2.0


def check_speed(speed: float) -> None:
    """Raises Unsupported outside 0.5 to 2.0, and for what is no number."""
    if not SLOWEST <= speed <= FASTEST:
        raise Unsupported(
            f"speed {speed} is not within {SLOWEST} to {FASTEST}",
            field="speed",
            value=speed,
            remedy="1.0 is the usual speed",
        )


@dataclass(slots=True)
class Reader:
    """Who says one text: the voice may change once, and never back within the text."""

    voice: str


class VoiceEngine:
    """Thread-safe; every method works on the thread that calls it.

    Args:
        voices: what callers may ask for, by name.
        fallback: the name of the one that takes over.
        now_s: monotonic seconds, for the breakers.
    """

    def __init__(
        self,
        voices: Sequence[Voice],
        fallback: str,
        pronouncer: Pronouncer,
        now_s: Callable[[], float],
        breaker: Breaker,
    ) -> None:
        self._voices: Mapping[str, Voice] = {voice.name: voice for voice in voices}
        self._fallback, self._pronouncer, self._now_s = fallback, pronouncer, now_s
        self._breakers = dict.fromkeys(self._voices, breaker)
        self._lock = threading.Lock()

    def reader(self, voice: str) -> Reader:
        """For one text. Raises Unsupported, naming those that exist, for an unknown voice."""
        if voice not in self._voices:
            raise Unsupported(
                f"no voice {voice!r}",
                field="voice",
                value=voice,
                remedy=f"use one of: {', '.join(self._voices)}",
            )
        return Reader(voice)

    def say(
        self, clause: str, reader: Reader, speed: float
    ) -> tuple[VoiceSwitch | SpeechChunk, ...]:
        """A normalised clause's audio, after the switch where another voice had to say it.

        Raises EngineFailed where the fallback failed as well.
        """
        symbols = self._pronouncer.symbols(clause)
        failure = self._refusal(reader.voice)
        if failure is None:
            try:
                return (self._attempt(reader.voice, symbols, speed),)
            except Exception as error:  # noqa: BLE001 - whatever broke, the caller hears speech
                failure = type(error).__name__
        return self._with_fallback(symbols, reader, speed, failure)

    def synthesise(self, clause: str, voice: str, speed: float = 1.0) -> NDArray[np.float32]:
        """A normalised clause as float32 mono at 16 kHz. Raises as `reader` and `say` do."""
        check_speed(speed)
        events = self.say(clause, self.reader(voice), speed)
        return next(event.samples for event in events if isinstance(event, SpeechChunk))

    def warm_up(self) -> None:
        """Says a word with every voice. Raises EngineFailed where one cannot."""
        for name in self._voices:
            self._attempt(name, self._pronouncer.symbols("warm."), 1.0)

    def states(self) -> dict[str, str]:
        """Each voice's breaker, for metrics and checks."""
        with self._lock:
            return {name: breaker.state.value for name, breaker in self._breakers.items()}

    def _with_fallback(
        self, symbols: tuple[str, ...], reader: Reader, speed: float, failure: str
    ) -> tuple[VoiceSwitch | SpeechChunk, ...]:
        if reader.voice == self._fallback:
            raise EngineFailed(
                f"voice {reader.voice} failed: {failure}", field="voice", value=reader.voice
            )
        switch = VoiceSwitch(reader.voice, self._fallback, failure)
        reader.voice = self._fallback
        try:
            return switch, self._attempt(self._fallback, symbols, speed)
        except Exception as error:
            raise EngineFailed(
                f"voices {switch.from_voice} and {switch.to_voice} failed: {failure}, "
                f"{type(error).__name__}",
                field="voice",
                value=switch.from_voice,
                remedy="try another node, or this one later",
            ) from error

    def _refusal(self, name: str) -> str | None:
        """Why a voice is not to be asked now, or None: then its call has begun."""
        with self._lock:
            breaker, now_s = self._breakers[name], self._now_s()
            if name != self._fallback and not breaker.admits(now_s):
                return f"circuit {breaker.state.value}"
            self._breakers[name] = breaker.began(now_s)
        return None

    def _attempt(self, name: str, symbols: tuple[str, ...], speed: float) -> SpeechChunk:
        try:
            samples = checked(self._voices[name].say(symbols, speed), name)
        except Exception:
            self._change(name, lambda breaker: breaker.failed(self._now_s()))
            raise
        self._change(name, Breaker.succeeded)
        return SpeechChunk(samples, SAMPLE_RATE)

    def _change(self, name: str, to: Callable[[Breaker], Breaker]) -> None:
        with self._lock:
            self._breakers[name] = to(self._breakers[name])
