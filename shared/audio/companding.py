"""G.711: mu-law and A-law as tables, in both directions.

A telephone byte is a sign, a three-bit segment and four bits within it; the segments double in
width. 256 codes one way and 65,536 values the other fit tables, so a packet costs one look-up.
"""

from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.generic)
Codes = npt.NDArray[np.uint8]
Pcm = npt.NDArray[np.int16]

_BIAS = 33  # mu-law adds it so that each segment begins at a power of two (14-bit scale)
_CLIP = 8158  # the largest magnitude mu-law can say (14-bit scale)


def mulaw_to_pcm(codes: Codes) -> Pcm:
    """The value of each code, of the same shape."""
    return _mulaw_values()[codes]


def alaw_to_pcm(codes: Codes) -> Pcm:
    """The value of each code, of the same shape."""
    return _alaw_values()[codes]


def pcm_to_mulaw(pcm: Pcm) -> Codes:
    """The code of each value, of the same shape."""
    return _mulaw_codes()[pcm.view(np.uint16)]


def pcm_to_alaw(pcm: Pcm) -> Codes:
    """The code of each value, of the same shape."""
    return _alaw_codes()[pcm.view(np.uint16)]


@cache
def _mulaw_values() -> Pcm:
    code = np.arange(256, dtype=np.uint8) ^ np.uint8(0xFF)  # on the line every bit is inverted
    segment, step = _fields(code)
    magnitude = (((step << 1) + _BIAS) << segment) - _BIAS
    return _frozen((np.where(code & 0x80, -magnitude, magnitude) << 2).astype(np.int16))


@cache
def _alaw_values() -> Pcm:
    code = np.arange(256, dtype=np.uint8) ^ np.uint8(
        0x55
    )  # on the line every second bit is inverted
    segment, step = _fields(code)
    linear = (step << 1) + 1
    magnitude = np.where(segment == 0, linear, (linear + 32) << np.maximum(segment - 1, 0))
    return _frozen((np.where(code & 0x80, magnitude, -magnitude) << 3).astype(np.int16))


@cache
def _mulaw_codes() -> Codes:
    value = _every_value() >> 2
    magnitude = np.minimum(np.abs(value), _CLIP) + _BIAS
    segment = _bit_length(magnitude) - 6
    step = (magnitude >> (segment + 1)) & 0x0F
    return _frozen(~((value < 0) << 7 | segment << 4 | step).astype(np.uint8))


@cache
def _alaw_codes() -> Codes:
    value = _every_value() >> 3
    magnitude = np.where(value < 0, ~value, value)  # -1 shares the smallest step with 0
    segment = np.maximum(_bit_length(magnitude) - 5, 0)
    step = (magnitude >> np.maximum(segment, 1)) & 0x0F
    return _frozen(((value >= 0) << 7 | segment << 4 | step).astype(np.uint8) ^ np.uint8(0x55))


def _fields(code: Codes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    wide = code.astype(np.int64)
    return (wide >> 4) & 0x07, wide & 0x0F


def _every_value() -> npt.NDArray[np.int64]:
    """The 65,536 values in the order of their unsigned bit patterns."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)


def _bit_length(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _frozen(table: npt.NDArray[T]) -> npt.NDArray[T]:
    table.setflags(write=False)
    return table
