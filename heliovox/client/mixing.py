"""Samples of any width and number of channels to mono PCM16. Pure, and of the standard library."""

import array
import sys
from collections.abc import Sequence

from heliovox.client.wav import ALAW, FLOAT, MULAW, Layout

_FLOATS = {32: "f", 64: "d"}


def to_wire(frames: bytes, layout: Layout) -> bytes:
    """Whole frames of a file as they can be sent (`layout.audio`)."""
    if layout.code in {ALAW, MULAW}:
        return frames
    if layout.code == FLOAT:
        samples = _from_floats(frames, layout.bits)
    else:
        samples = _from_integers(frames, layout.bits)
    return _bytes_of(samples if layout.channels == 1 else _mixed(samples, layout.channels))


def _from_integers(frames: bytes, bits: int) -> "array.array[int]":
    if bits == 8:  # unsigned in WAV, unlike every other width
        return array.array("h", ((byte - 128) << 8 for byte in frames))
    width = bits // 8
    high = bytearray(len(frames) // width * 2)
    high[0::2] = frames[width - 2 :: width]
    high[1::2] = frames[width - 1 :: width]
    return _little_endian("h", bytes(high))


def _from_floats(frames: bytes, bits: int) -> "array.array[int]":
    return array.array("h", map(_clipped, _little_endian(_FLOATS[bits], frames)))


def _clipped(value: float) -> int:
    """Full scale is 1.0; what is no number becomes silence."""
    if value != value:  # noqa: PLR0124 only NaN differs from itself
        return 0
    return int(max(-32768.0, min(32767.0, value * 32768.0)))


def _little_endian(code: str, data: bytes) -> "array.array[int]":
    samples = array.array(code, data)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _mixed(samples: Sequence[int], channels: int) -> "array.array[int]":
    each = [samples[channel::channels] for channel in range(channels)]
    return array.array("h", (sum(frame) // channels for frame in zip(*each, strict=True)))


def _bytes_of(samples: "array.array[int]") -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
