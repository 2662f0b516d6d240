"""Streaming change of sample rate by a linear-phase polyphase filter.

Written here because the output must be a function of the samples alone, bit for bit, however they
were cut, and because libraries that stream hold back up to 80 ms at 8 kHz; this holds back 2 ms.
"""

from functools import cache
from math import ceil, gcd

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Samples = npt.NDArray[np.float32]

_HALF_WIDTH = 16
"""Samples of the lower rate on either side of an output: 2 ms at 8 kHz. The group delay."""
_CUT_OFF = 0.49
_KAISER_BETA = 5.8
"""With the half width, in units of the lower rate: flat within 0.4 dB to 0.45, and at least
60 dB down from 0.55 on. Found by searching a grid of cut-offs and betas for the least loss at
0.45; tests/unit/shared/test_resampling.py holds both figures."""


class Resampler:
    """Turns a stream at one rate into the same stream at another.

    Output sample n is the signal at time n / to_hz: the filter's delay is taken out, at the price
    of waiting for `delay_samples` of input. Outside the stream there is silence. A resampler begun
    10 ms earlier on the same audio, its first 10 ms of output dropped, gives the same bits.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Any two positive rates; cheap where their ratio is simple, as the protocol's are."""
        if from_hz <= 0 or to_hz <= 0:
            raise ValueError(f"cannot resample from {from_hz} Hz to {to_hz} Hz: not positive")
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._bank = _filter_bank(self._up, self._down)
        self.delay_samples: int = self._bank.shape[1] // 2
        """Input samples beyond an output's own time that must be there before it comes out."""
        self._heard = self._made = 0  # input and output samples so far
        self._first = 1 - self.delay_samples  # the input position of _held[0]
        self._held = self._silence()

    def push(self, samples: Samples) -> Samples:
        """The output that `samples` complete: shape (m,), m is 0 for little input."""
        if not self.delay_samples:
            return samples.astype(np.float32)
        self._held = np.concatenate([self._held, samples.astype(np.float32, copy=False)])
        self._heard += len(samples)
        made = self._make(self._complete())
        self._forget()
        return made

    def finish(self) -> Samples:
        """The rest: in all, as many outputs as begin before the input's end. Then begins anew."""
        rest = self.push(np.zeros(self.delay_samples, np.float32))
        self._heard = self._made = 0
        self._first, self._held = 1 - self.delay_samples, self._silence()
        return rest

    def _silence(self) -> Samples:
        """What was heard before the first sample."""
        return np.zeros(max(0, self.delay_samples - 1), np.float32)

    def _complete(self) -> int:
        """How many outputs the input so far allows."""
        return -(-max(0, self._heard - self.delay_samples) * self._up // self._down)

    def _make(self, upto: int) -> Samples:
        """Outputs from the next one to `upto`.

        Outputs that are `up` apart share a phase, and lie `down` apart in the input: each phase is
        one call. Every output is one dot product of fixed length, so no cut can change its bits.
        """
        count = upto - self._made
        made = np.empty(max(0, count), np.float32)
        if count <= 0:
            return made
        windows = sliding_window_view(self._held, self._bank.shape[1])
        for index in range(min(self._up, count)):
            position, phase = divmod((self._made + index) * self._down, self._up)
            start = position + 1 - self.delay_samples - self._first
            outputs = made[index :: self._up]
            rows = windows[start :: self._down][: len(outputs)]
            np.vecdot(rows, self._bank[phase], out=outputs)
        self._made = upto
        return made

    def _forget(self) -> None:
        """Drops the input that no later output needs."""
        needed = self._made * self._down // self._up + 1 - self.delay_samples
        if needed > self._first:
            self._held = self._held[needed - self._first :].copy()
            self._first = needed


@cache
def _filter_bank(up: int, down: int) -> Samples:
    """One filter a phase: shape (up, 2 * half), read-only; of no taps between equal rates.

    Row p weighs the inputs around a point p / up of a sample after an input sample. Each row sums
    to 1, so a constant stays constant and no tone of the phase pattern appears.
    """
    if up == down:
        return np.empty((1, 0), np.float32)
    lower = min(1.0, up / down)  # one input sample, in samples of the lower rate
    half = ceil(_HALF_WIDTH / lower)
    phases = np.arange(up)[:, np.newaxis] / up
    bank = _kernel((phases - np.arange(1 - half, half + 1)) * lower)
    bank /= bank.sum(axis=1, keepdims=True)
    table: Samples = bank.astype(np.float32)
    table.setflags(write=False)
    return table


def _kernel(at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The low-pass at `at` samples of the lower rate from its centre: a sinc under Kaiser."""
    inside = np.sqrt(np.clip(1 - (at / _HALF_WIDTH) ** 2, 0, None))
    taps: npt.NDArray[np.float64] = np.sinc(2 * _CUT_OFF * at) * np.i0(_KAISER_BETA * inside)
    return np.where(np.abs(at) < _HALF_WIDTH, taps, 0.0)
