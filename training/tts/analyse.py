"""What the network learns to predict, taken from a teacher's reading by WORLD.

A frame is 8 ms: 64 log amplitudes on a mel scale, 4 bands of aperiodicity, log F0, voicing.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyworld

from training.tts.teachers import SAMPLE_RATE, Reading

F32 = npt.NDArray[np.float32]
HOP = 128
FFT = 512
BANDS = 64
APERIODICITY_EDGES = (0, 32, 64, 128, 257)
_ANALYSIS_FFT = 1024  # 512 is too short for F0 below 94 Hz, where the male voice often is
_LONGEST_EDGE_PAUSE_FRAMES = 12  # 96 ms of silence before the first and after the last phone


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: `frames` has shape (t, 69), `voiced` (t,), durations sum to t."""

    phones: tuple[str, ...]
    durations: npt.NDArray[np.int64]
    frames: F32
    voiced: F32


def _mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1127 * np.log1p(hertz / 700))


def mel_to_linear() -> F32:
    """Shape (257, 64): log amplitude at every FFT bin from the 64 mel points, linearly."""
    edges = np.linspace(0.0, float(_mel(np.array(SAMPLE_RATE / 2))), BANDS)
    position = np.interp(_mel(np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT), edges, np.arange(BANDS))
    weights = np.zeros((FFT // 2 + 1, BANDS), np.float32)
    low = np.minimum(position.astype(int), BANDS - 2)
    rows = np.arange(FFT // 2 + 1)
    weights[rows, low] = 1 - (position - low)
    weights[rows, low + 1] = position - low
    return weights


_LINEAR_TO_MEL = np.linalg.pinv(mel_to_linear()).astype(np.float64)


def _durations(ends_s: tuple[float, ...], frames: int) -> npt.NDArray[np.int64]:
    ends = np.minimum(np.round(np.array(ends_s) * SAMPLE_RATE / HOP).astype(np.int64), frames)
    ends = np.maximum.accumulate(ends)
    ends[-1] = frames
    return np.diff(ends, prepend=0)


def _pauses(reading: Reading) -> tuple[str, ...]:
    """Pauses named by what they follow, as the front end names them: ^ , . ?"""
    last = len(reading.phones) - 1
    end = "?" if reading.text.endswith("?") else "."
    named = {0: "^", last: end}
    return tuple(named.get(i, ",") if p == "pau" else p for i, p in enumerate(reading.phones))


def analyse(reading: Reading) -> Example | None:
    """None where a reading has no voice in it or does not begin and end with a pause."""
    samples = reading.samples.astype(np.float64)
    period_ms = 1000 * HOP / SAMPLE_RATE
    f0, at_s = pyworld.dio(samples, SAMPLE_RATE, f0_floor=71, f0_ceil=350, frame_period=period_ms)
    f0 = pyworld.stonemask(samples, f0, at_s, SAMPLE_RATE)
    voiced = f0 > 0
    ends_in_pauses = reading.phones[0] == reading.phones[-1] == "pau"
    if voiced.sum() < 10 or not ends_in_pauses:
        return None
    power = pyworld.cheaptrick(samples, f0, at_s, SAMPLE_RATE, fft_size=_ANALYSIS_FFT)[:, ::2]
    noise = pyworld.d4c(samples, f0, at_s, SAMPLE_RATE, fft_size=_ANALYSIS_FFT)[:, ::2]
    envelope = 0.5 * np.log(power + 1e-10) @ _LINEAR_TO_MEL.T
    edges = APERIODICITY_EDGES
    bands = [noise[:, a:b].mean(1) for a, b in itertools.pairwise(edges)]
    log_f0 = np.interp(np.arange(len(f0)), np.nonzero(voiced)[0], np.log(f0[voiced]))
    frames = np.concatenate([envelope, np.stack(bands, 1), log_f0[:, None]], 1)
    durations = _durations(reading.ends_s, len(f0))
    example = Example(
        _pauses(reading), durations, frames.astype(np.float32), voiced.astype(np.float32)
    )
    return _trimmed(example)


def _trimmed(example: Example) -> Example:
    """Without most of the silence at both ends: a caller would only wait for it."""
    first = max(0, int(example.durations[0]) - _LONGEST_EDGE_PAUSE_FRAMES)
    last = max(0, int(example.durations[-1]) - _LONGEST_EDGE_PAUSE_FRAMES)
    durations = example.durations.copy()
    durations[0] -= first
    durations[-1] -= last
    keep = slice(first, len(example.frames) - last)
    return Example(example.phones, durations, example.frames[keep], example.voiced[keep])
