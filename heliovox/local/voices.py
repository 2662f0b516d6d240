"""Has a node say a text, and puts the speech on a telephone line."""

import asyncio
from dataclasses import dataclass, replace

from heliovox.client.client import Client
from heliovox.local.calls import Recording, Route, Where
from heliovox.protocol.audio import AudioFormat
from shared.audio import Resampler, decode, encode

PCM_16K = AudioFormat()


@dataclass(frozen=True, slots=True)
class Said:
    """A text that was said, and by whom."""

    recording: Recording
    first_audio_ms: float
    route: Route


async def said(client: Client, text: str, voice: str | None, where: Where) -> Said:
    """Has a text said in a session of its own, PCM at 16 kHz."""
    loop = asyncio.get_running_loop()
    async with client.session(
        "synthesis", voice=voice, output=PCM_16K, place=where.place, policy=where.policy
    ) as session:
        begun_s, first_s, data = loop.time(), 0.0, b""
        async for piece in session.say(text):
            first_s = first_s or loop.time()
            data += piece
        speaker, route = session.started.voice or "", Route.of(session)
        await session.finish()
        async for _ in session:
            pass
    recording = Recording(speaker, text, PCM_16K, data)
    return Said(recording, round((first_s - begun_s) * 1000, 1), route)


def as_telephone(recording: Recording) -> Recording:
    """The same speech as a telephone line carries it."""
    line = AudioFormat.telephone()
    resampler = Resampler(recording.audio.sample_rate, line.sample_rate)
    samples = decode(recording.audio, recording.data)
    parts = (resampler.push(samples), resampler.finish())
    return replace(recording, audio=line, data=b"".join(encode(line, part) for part in parts))
