"""One `speak` on its way to the caller: announced, streamed in the caller's format, bounded."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_node.protocols.peer import Peer
from edge_node.sessions.opening import Opening
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from heliovox.protocol import codec
from heliovox.protocol.messages import Notice, ServerMessage, Speak, Speaking, VoiceSwitched
from shared.audio import Resampler, encode
from shared.errors import VoiceError

_log = logging.getLogger(__name__)

PIECE_BYTES = 16 * 1024
"""Binary messages stay well below what clients accept (1 MiB at the strictest)."""


class Speaker(Protocol):
    """The node's synthesis service."""

    def speak(
        self, text: str, voice: str, speed: float
    ) -> AsyncIterator[SpeechChunk | VoiceSwitch]:
        """Streams a text's audio clause by clause. Raises VoiceError for what cannot be said."""
        ...


def about(error: VoiceError, speak_id: str) -> Notice:
    """Why a text is not said, or not to its end."""
    return Notice(error.code, error.message, error.field, error.value, error.remedy, id=speak_id)


class Saying:
    """Says one text to one caller.

    Args:
        can_write: cleared while the caller does not read.
    """

    def __init__(
        self, peer: Peer, speaker: Speaker, can_write: asyncio.Event, opening: Opening
    ) -> None:
        self._peer, self._speaker, self._can_write = peer, speaker, can_write
        self._output, self._default_voice = opening.output, opening.voice or ""
        self._resampler: Resampler | None = None
        self.whole = False
        """Whether all of it was sent."""
        self.samples = 0
        """Sent so far, in the caller's format."""

    async def say(self, speak: Speak) -> None:
        """Says the whole text, or tells the caller why it cannot be said."""
        voice = speak.voice or self._default_voice
        announced = False
        try:
            async for event in self._speaker.speak(speak.text, voice, speak.speed):
                if not announced:  # only now is it known that there is something to hear
                    announced = True
                    self._tell(Speaking(speak.id, voice, self._output))
                if isinstance(event, VoiceSwitch):
                    self._tell(
                        VoiceSwitched(speak.id, event.from_voice, event.to_voice, event.reason)
                    )
                else:
                    await self._send(self._resampled(event))
            await self._send(self._rest())
        except VoiceError as error:
            self._tell(about(error, speak.id))
        except Exception:  # noqa: BLE001 whatever broke, the caller hears of it
            _log.exception("a text could not be said")
            fault = VoiceError("a fault of the node's own", remedy="try another node")
            self._tell(about(fault, speak.id))
        else:
            self.whole = True

    def _tell(self, message: ServerMessage) -> None:
        self._peer.send_text(codec.encode(message))

    def _resampled(self, chunk: SpeechChunk) -> NDArray[np.float32]:
        if chunk.sample_rate == self._output.sample_rate:
            return chunk.samples
        if self._resampler is None:
            self._resampler = Resampler(chunk.sample_rate, self._output.sample_rate)
        return self._resampler.push(chunk.samples)

    def _rest(self) -> NDArray[np.float32]:
        return np.zeros(0, np.float32) if self._resampler is None else self._resampler.finish()

    async def _send(self, samples: NDArray[np.float32]) -> None:
        data = encode(self._output, samples)
        for begin in range(0, len(data), PIECE_BYTES):
            await self._can_write.wait()
            piece = data[begin : begin + PIECE_BYTES]
            self._peer.send_audio(piece)
            self.samples += len(piece) // self._output.bytes_per_sample
