"""POST /v1/speech: what may be asked for, and a text's audio as a stream of bytes."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import msgspec

from edge_node.protocols.wav import streaming_header
from edge_node.tts.events import SpeechChunk
from edge_node.tts.saying import Speaker
from heliovox.protocol.audio import AudioFormat
from shared.audio import Resampler, Samples, check_format, encode
from shared.errors import NothingToSay, TooBig, Unsupported

PIECE_BYTES = 16 * 1024
SPEEDS = (0.5, 2.0)


class SpeechRequest(msgspec.Struct, frozen=True):
    """A text to say."""

    text: str
    voice: str | None = None
    """None takes the node's default."""
    speed: float = 1.0
    """0.5 to 2.0."""
    format: Literal["wav", "raw"] = "wav"
    """`wav` says its length as unknown, because it is streamed; `raw` has no header."""
    output: AudioFormat = AudioFormat()


@dataclass(frozen=True, slots=True)
class SpeechOffer:
    """What a node can say."""

    voices: tuple[str, ...]
    """The first is the default."""
    max_text_characters: int


def checked_voice(ask: SpeechRequest, offer: SpeechOffer) -> str:
    """The voice that will speak.

    Raises:
        NothingToSay, TooBig, Unsupported: names the field, its value and what is allowed.
    """
    check_format(ask.output, "output")
    if not ask.text.strip():
        raise NothingToSay("there is nothing to say", field="text", remedy="send some words")
    if len(ask.text) > offer.max_text_characters:
        raise TooBig(
            f"a text of {len(ask.text)} characters",
            field="text",
            value=len(ask.text),
            remedy=f"send at most {offer.max_text_characters} characters at a time",
        )
    if not SPEEDS[0] <= ask.speed <= SPEEDS[1]:  # also false for NaN
        raise Unsupported(
            f"speed {ask.speed} is out of range",
            field="speed",
            value=ask.speed,
            remedy=f"use {SPEEDS[0]} to {SPEEDS[1]}",
        )
    return _voice(ask.voice, offer.voices)


def _voice(asked: str | None, voices: tuple[str, ...]) -> str:
    if asked is None and voices:
        return voices[0]
    if asked in voices:
        return asked
    raise Unsupported(
        "this node does not have that voice",
        field="voice",
        value=asked,
        remedy=f"use one of: {', '.join(voices) or 'none is available here'}",
    )


async def speech_bytes(speaker: Speaker, ask: SpeechRequest, voice: str) -> AsyncIterator[bytes]:
    """A text's audio, clause by clause, in pieces of at most PIECE_BYTES. Raises VoiceError."""
    resampler: Resampler | None = None
    header = streaming_header(ask.output) if ask.format == "wav" else b""
    events = speaker.speak(ask.text, voice, ask.speed)
    async with aclosing(events):  # type: ignore[type-var]  # every speaker is a generator
        async for event in events:
            if not isinstance(event, SpeechChunk):
                continue
            samples = event.samples
            if event.sample_rate != ask.output.sample_rate:
                resampler = resampler or Resampler(event.sample_rate, ask.output.sample_rate)
                samples = resampler.push(samples)
            for piece in _pieces(header, ask.output, samples):
                yield piece
            header = b""
    if resampler is not None:
        for piece in _pieces(header, ask.output, resampler.finish()):
            yield piece


def _pieces(header: bytes, form: AudioFormat, samples: Samples) -> list[bytes]:
    data = header + encode(form, samples)
    return [data[begin : begin + PIECE_BYTES] for begin in range(0, len(data), PIECE_BYTES)]
