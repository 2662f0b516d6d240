"""A voice for tests: its audio carries its text, as the scripted recogniser hears it."""

import asyncio
from collections.abc import AsyncIterator

from edge_node.stt.scripted import LETTERS, script_audio
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from shared.errors import NothingToSay, Unsupported

SAMPLE_RATE = 16000


class ScriptedVoice:
    """Says a to z; a word is a clause."""

    voices: tuple[str, ...] = ("scripted",)

    async def speak(
        self, text: str, voice: str, speed: float
    ) -> AsyncIterator[SpeechChunk | VoiceSwitch]:
        """One chunk a word.

        Raises:
            NothingToSay: no letter is left to say.
            Unsupported: a speed out of range.
        """
        _ = voice
        if not 0.5 <= speed <= 2.0:
            raise Unsupported("out of range", field="speed", value=speed, remedy="use 0.5 to 2")
        words = ["".join(c for c in word if c in LETTERS) for word in text.lower().split()]
        if not any(words):
            raise NothingToSay("no word to say", field="text", value=text, remedy="use a to z")
        for word in words:
            yield SpeechChunk(script_audio(f"{word} "), SAMPLE_RATE)

    async def run(self, ready: asyncio.Event) -> None:
        """Has nothing to load."""
        ready.set()
        await asyncio.Event().wait()

    def check(self) -> str | None:
        """Cannot fail."""
        return None
