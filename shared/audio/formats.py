"""Between the bytes of a wire format and float samples in +-1."""

import numpy as np
import numpy.typing as npt

from heliovox.protocol.audio import ENCODINGS, AudioFormat, rates_hz
from shared.audio.companding import (
    Pcm,
    alaw_to_pcm,
    mulaw_to_pcm,
    pcm_to_alaw,
    pcm_to_mulaw,
)
from shared.errors import InvalidMessage, Unsupported

Samples = npt.NDArray[np.float32]
"""Mono, shape (n,), full scale at +-1."""

FULL_SCALE = 32768.0
"""What 1.0 is in PCM16: -32768 is exactly -1, 32767 just under 1, and a round trip is exact."""

_WIRE_PCM = np.dtype("<i2")


def check_format(audio: AudioFormat, field: str = "audio") -> None:
    """Raises Unsupported, with what is allowed, where the protocol has no such format."""
    if audio.encoding not in ENCODINGS:
        raise _unsupported(f"{field}.encoding", audio.encoding, ENCODINGS)
    if audio.sample_rate not in (rates := rates_hz(audio.encoding)):
        raise _unsupported(f"{field}.sample_rate", audio.sample_rate, rates, audio.encoding)


def decode(audio: AudioFormat, data: bytes | bytearray | memoryview) -> Samples:
    """The samples in `data`.

    Raises:
        InvalidMessage: `data` ends within a sample; where packets may cut samples, use Decoder.
    """
    if audio.encoding == "pcm_s16le":
        if len(data) % 2:
            raise InvalidMessage(
                f"{len(data)} bytes are no whole number of 16-bit samples",
                field="audio",
                value=len(data),
                remedy="send an even number of bytes",
            )
        return from_pcm16(np.frombuffer(data, dtype=_WIRE_PCM))
    codes = np.frombuffer(data, dtype=np.uint8)
    return from_pcm16(mulaw_to_pcm(codes) if audio.encoding == "mulaw" else alaw_to_pcm(codes))


def encode(audio: AudioFormat, samples: Samples) -> bytes:
    """The bytes of `samples`: clipped at full scale, and silence where a value is no number."""
    pcm = to_pcm16(samples)
    if audio.encoding == "pcm_s16le":
        return pcm.astype(_WIRE_PCM, copy=False).tobytes()
    return (pcm_to_mulaw(pcm) if audio.encoding == "mulaw" else pcm_to_alaw(pcm)).tobytes()


def from_pcm16(pcm: Pcm) -> Samples:
    """Samples in +-1; exact, since a float has 24 bits of precision."""
    samples: Samples = np.multiply(pcm, np.float32(1 / FULL_SCALE), dtype=np.float32)
    return samples


def to_pcm16(samples: Samples) -> Pcm:
    """The nearest values; beyond full scale the largest, and 0 where there is no number."""
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    scaled[np.isnan(scaled)] = 0.0
    pcm: Pcm = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return pcm


class Decoder:
    """Decodes a stream whose messages may be cut within a sample."""

    def __init__(self, audio: AudioFormat) -> None:
        """Raises Unsupported for a format that the protocol does not have."""
        check_format(audio)
        self._audio = audio
        self._rest = b""

    def push(self, data: bytes) -> Samples:
        """The samples completed by `data`; a byte of a sample begun is kept for the next push."""
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % self._audio.bytes_per_sample
        self._rest = bytes(data[whole:])
        return decode(self._audio, memoryview(data)[:whole])

    @property
    def pending_bytes(self) -> int:
        """Bytes of a sample that has begun and not ended: 0 at a clean end of stream."""
        return len(self._rest)


def _unsupported(
    field: str, value: object, allowed: tuple[object, ...], encoding: str = ""
) -> Unsupported:
    names = ", ".join(map(str, allowed))
    context = f" with {encoding}" if encoding else ""
    return Unsupported(
        f"{field} {str(value)[:40]!r} is not supported{context}",
        field=field,
        value=value,
        remedy=f"use one of {names}",
    )
