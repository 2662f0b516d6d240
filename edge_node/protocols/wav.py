"""The header of a WAV stream whose length nobody knows yet (pure)."""

import struct

from heliovox.protocol.audio import AudioFormat

_UNKNOWN_BYTES = 0xFFFFFFFF
"""What readers take as "until the end" (ffmpeg, sox and libsndfile among them)."""
_TAGS = {"pcm_s16le": 1, "alaw": 6, "mulaw": 7}


def streaming_header(form: AudioFormat) -> bytes:
    """44 bytes for PCM; two more for companded audio, whose format chunk has a size of its own."""
    width = form.bytes_per_sample
    described = struct.pack(
        "<HHIIHH",
        _TAGS[form.encoding],
        1,
        form.sample_rate,
        form.sample_rate * width,
        width,
        8 * width,
    )
    if form.encoding != "pcm_s16le":
        described += struct.pack("<H", 0)
    return (
        struct.pack("<4sI4s", b"RIFF", _UNKNOWN_BYTES, b"WAVE")
        + struct.pack("<4sI", b"fmt ", len(described))
        + described
        + struct.pack("<4sI", b"data", _UNKNOWN_BYTES)
    )
