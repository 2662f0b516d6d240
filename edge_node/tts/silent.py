"""No voice: a node that only listens."""

import asyncio
from collections.abc import AsyncIterator

from edge_node.tts.events import SpeechChunk, VoiceSwitch
from shared.errors import Unsupported


class Silent:
    """Offers no voices, and refuses to speak."""

    voices: tuple[str, ...] = ()

    def speak(
        self, text: str, voice: str, speed: float
    ) -> AsyncIterator[SpeechChunk | VoiceSwitch]:
        """Raises Unsupported."""
        _ = text, speed
        raise Unsupported("this node has no voice", field="voice", value=voice)

    async def run(self, ready: asyncio.Event) -> None:
        """Has nothing to load."""
        ready.set()
        await asyncio.Event().wait()

    def check(self) -> str | None:
        """Has nothing that could break."""
        return None
