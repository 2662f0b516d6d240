import math
from collections.abc import AsyncIterator

import numpy as np
import pytest

from edge_node.protocols.speech import (
    PIECE_BYTES,
    SpeechOffer,
    SpeechRequest,
    checked_voice,
    speech_bytes,
)
from edge_node.protocols.wav import streaming_header
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from heliovox.protocol.audio import AudioFormat
from shared.errors import NothingToSay, TooBig, Unsupported, VoiceError

pytestmark = pytest.mark.anyio

OFFER = SpeechOffer(("eve", "adam"), max_text_characters=10)


class Voice:
    """Half a second of a constant, in two clauses, and a switch between them."""

    async def speak(
        self, text: str, voice: str, speed: float
    ) -> AsyncIterator[SpeechChunk | VoiceSwitch]:
        yield SpeechChunk(np.full(4000, 0.25, np.float32), 16000)
        yield VoiceSwitch("eve", "adam", "it broke")
        yield SpeechChunk(np.full(4000, 0.25, np.float32), 16000)


async def said(ask: SpeechRequest) -> list[bytes]:
    return [piece async for piece in speech_bytes(Voice(), ask, "eve")]


def test_the_default_voice_is_the_first() -> None:
    assert checked_voice(SpeechRequest("hi"), OFFER) == "eve"
    assert checked_voice(SpeechRequest("hi", voice="adam"), OFFER) == "adam"


@pytest.mark.parametrize(
    ("ask", "error", "field"),
    [
        (SpeechRequest(""), NothingToSay, "text"),
        (SpeechRequest(" \n"), NothingToSay, "text"),
        (SpeechRequest("a" * 11), TooBig, "text"),
        (SpeechRequest("hi", voice="bob"), Unsupported, "voice"),
        (SpeechRequest("hi", speed=0.49), Unsupported, "speed"),
        (SpeechRequest("hi", speed=math.nan), Unsupported, "speed"),
        (SpeechRequest("hi", output=AudioFormat("mulaw", 16000)), Unsupported, None),
        (SpeechRequest("hi", output=AudioFormat("pcm_s16le", 7)), Unsupported, None),
    ],
)
def test_what_cannot_be_said_names_its_field(
    ask: SpeechRequest, error: type[VoiceError], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        checked_voice(ask, OFFER)
    assert refused.value.remedy
    if field is not None:
        assert refused.value.field == field


async def test_a_header_comes_once_and_audio_follows() -> None:
    audio = b"".join(await said(SpeechRequest("hi")))
    header = streaming_header(AudioFormat())
    assert audio[: len(header)] == header
    assert np.all(np.frombuffer(audio[len(header) :], "<i2") == 8192)
    assert len(audio) - len(header) == 2 * 8000


async def test_raw_audio_has_no_header() -> None:
    assert len(b"".join(await said(SpeechRequest("hi", format="raw")))) == 2 * 8000


async def test_another_rate_has_its_own_number_of_samples() -> None:
    ask = SpeechRequest("hi", format="raw", output=AudioFormat("mulaw", 8000))
    assert len(b"".join(await said(ask))) == 4000


async def test_pieces_are_bounded() -> None:
    ask = SpeechRequest("hi", format="raw", output=AudioFormat("pcm_s16le", 48000))
    assert max(len(piece) for piece in await said(ask)) <= PIECE_BYTES
