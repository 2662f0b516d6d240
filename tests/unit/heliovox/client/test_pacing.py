import asyncio
from collections.abc import AsyncIterator

import pytest

from heliovox.client.pacing import paced
from heliovox.protocol.audio import AudioFormat
from tests.support.virtual_time import run_virtually


async def departures(audio: AudioFormat, late_s: float) -> list[float]:
    loop = asyncio.get_running_loop()

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(4):
            await asyncio.sleep(late_s if number == 1 else 0)
            yield bytes(800 * audio.bytes_per_sample)

    return [round(loop.time(), 6) async for _ in paced(pieces(), audio)]


@pytest.mark.parametrize("audio", [AudioFormat.telephone(), AudioFormat("pcm_s16le", 8000)])
def test_a_piece_leaves_when_its_last_sample_was_spoken(audio: AudioFormat) -> None:
    assert run_virtually(departures(audio, 0)) == [0.1, 0.2, 0.3, 0.4]


def test_a_late_piece_leaves_at_once_and_delays_no_other() -> None:
    assert run_virtually(departures(AudioFormat.telephone(), 0.15)) == [0.1, 0.25, 0.3, 0.4]
