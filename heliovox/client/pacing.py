"""Audio at the pace at which it would be spoken."""

import asyncio
from collections.abc import AsyncIterator

from heliovox.protocol.audio import AudioFormat


async def paced(pieces: AsyncIterator[bytes], audio: AudioFormat) -> AsyncIterator[bytes]:
    """Yields each piece when its last sample would have been spoken; late ones at once."""
    loop = asyncio.get_running_loop()
    begun_s, sent_bytes = loop.time(), 0
    async for piece in pieces:
        sent_bytes += len(piece)
        due_s = begun_s + sent_bytes / (audio.bytes_per_sample * audio.sample_rate)
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        yield piece
