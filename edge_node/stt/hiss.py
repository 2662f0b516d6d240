"""A faint hiss for the empty upper half of telephone audio.

A voice activity model trained on wide-band speech takes a band without any energy for a sign of
silence. Audio from 8 kHz has no energy above 4 kHz, and of human utterances that came over such a
line in 10 dB of noise the detector found 40 of 65; with this hiss, far below anything audible,
it found all of them (docs/models/vad-silero.md). Wide-band audio needs none, and gets none.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

LEVEL_DB = -80.0
"""Against full scale. Louder (-65 and more) begins to hide quiet callers."""


@cache
def upper_band_hiss(samples: int) -> npt.NDArray[np.float32]:
    """Noise in the upper half of the band alone: shape (samples,), always the same, read-only.

    It may be laid end to end: it is a sum of tones that have whole periods in `samples`.
    """
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 1, samples))
    spectrum[: samples // 4] = 0
    noise = np.fft.irfft(spectrum, samples)
    noise *= 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(noise**2))
    hiss: npt.NDArray[np.float32] = noise.astype(np.float32)
    hiss.setflags(write=False)
    return hiss
