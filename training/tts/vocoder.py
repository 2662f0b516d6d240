"""Source and filter, written as operations that ONNX has: no learned part.

Pulses (all harmonics of F0 below 8 kHz) and noise pass through a minimum-phase envelope, frame by
frame, and are added back with overlapping windows. Noise is a function of the sample's number, so
equal text gives equal samples.
"""

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.tts.analyse import BANDS, F32, FFT, HOP, mel_to_linear
from training.tts.teachers import SAMPLE_RATE

_BINS: Final = FFT // 2 + 1
_OVERLAPPED_HANN_SQUARED: Final = 1.5  # what hann squared sums to at a hop of a quarter window
_APERIODICITY_CENTRES: Final = (16.0, 48.0, 96.0, 192.0)  # bins, of the bands in analyse.py


def _minimum_phase() -> Tensor:
    """(257, 257): log amplitude to phase, by folding the cepstrum."""
    eye = np.eye(_BINS)
    cepstrum = np.fft.ifft(np.concatenate([eye, eye[1:-1][::-1]]), axis=0).real
    fold = np.zeros(FFT)
    fold[0] = fold[FFT // 2] = 1
    fold[1 : FFT // 2] = 2
    return torch.tensor(np.fft.fft(cepstrum * fold[:, None], axis=0)[:_BINS].imag).float()


def _aperiodicity_to_bins() -> Tensor:
    """(257, 4): linear between the bands' centres."""
    rows = [np.interp(np.arange(_BINS), _APERIODICITY_CENTRES, row) for row in np.eye(4)]
    return torch.tensor(np.stack(rows, 1)).float()


def sharpening(strength: float = 0.3, width: float = 3.0) -> F32:
    """(64, 64): lifts a frame's peaks over its own smoothed shape.

    A network trained on mean errors blurs formants; of 0, 0.3 and 0.6 at widths 3 and 5 bands this
    one was understood best by PocketSphinx (female voice: 24 % WER; 28 % without).
    """
    bands = np.arange(BANDS)
    smooth = np.exp(-0.5 * ((bands[:, None] - bands[None]) / width) ** 2)
    smooth /= smooth.sum(1, keepdims=True)
    return np.asarray(np.eye(BANDS) + strength * (np.eye(BANDS) - smooth), np.float32)


class Vocoder(nn.Module):
    """Frames to samples. Its large matrices are computed when a file is loaded, not stored."""

    sample: Tensor
    bin: Tensor
    envelope: Tensor
    phase: Tensor
    bands: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sample", torch.arange(FFT).float())
        self.register_buffer("bin", torch.arange(_BINS).float())
        self.register_buffer("envelope", torch.as_tensor(mel_to_linear() @ sharpening()))
        self.register_buffer("phase", _minimum_phase())
        self.register_buffer("bands", _aperiodicity_to_bins())

    def _kernels(self) -> tuple[Tensor, Tensor]:
        """Windowed DFT and its inverse as convolution kernels, (514, 1, 512) each."""
        turns = torch.remainder(self.bin[:, None] * self.sample[None], FFT) / FFT
        window = 0.5 - 0.5 * torch.cos(2 * math.pi * self.sample / FFT)
        cosine = torch.cos(2 * math.pi * turns)
        sine = -torch.sin(2 * math.pi * turns)
        edge = (self.bin == 0).float() + (self.bin == FFT // 2).float()
        both = (2.0 - edge)[:, None] / (FFT * _OVERLAPPED_HANN_SQUARED)
        forward = torch.cat([cosine, sine])[:, None] * window
        inverse = torch.cat([cosine * both, sine * both])[:, None] * window
        return forward, inverse

    @staticmethod
    def _pulses(f0: Tensor, voiced: Tensor) -> Tensor:
        """All harmonics at once: the Dirichlet kernel, scaled to unit power."""
        phase = torch.cumsum(f0.double() / SAMPLE_RATE, 1)
        phase = ((phase - torch.floor(phase)) * 2 * math.pi).float()
        harmonics = torch.floor(0.5 * SAMPLE_RATE / f0)
        half = torch.sin(phase / 2)
        small = half.abs() < 1e-4
        safe = torch.where(small, torch.full_like(half, 1e-4), half)
        kernel = (torch.sin((harmonics + 0.5) * phase) / safe - 1.0) * 0.5
        kernel = torch.where(small, harmonics, kernel)
        return kernel * 2 * torch.sqrt(f0 / SAMPLE_RATE) * voiced

    @staticmethod
    def _noise(like: Tensor) -> Tensor:
        """White and uniform with unit power, from the sample's number alone."""
        number = torch.cumsum(torch.ones_like(like).double(), 1)
        hashed = torch.sin(number * 12.9898) * 43758.5453
        return ((hashed - torch.floor(hashed)) * 2 - 1).float() * math.sqrt(3.0)

    def forward(
        self, envelope: Tensor, aperiodicity: Tensor, f0: Tensor, voiced: Tensor, noise: Tensor
    ) -> Tensor:
        """Samples (1, 128 t), from log amplitudes (1, 64, t), bands (1, 4, t), Hz and 0 or 1."""
        frames = f0.shape[1]
        hop = float(HOP)
        smooth = functional.interpolate(f0.unsqueeze(1), scale_factor=hop, mode="linear")[:, 0]
        gate = functional.interpolate(voiced.unsqueeze(1), scale_factor=hop, mode="nearest")[:, 0]
        forward, inverse = self._kernels()

        def spectrum(x: Tensor) -> Tensor:
            padded = functional.pad(x.unsqueeze(1), (FFT // 2, FFT // 2))
            return functional.conv1d(padded, forward, stride=HOP)[:, :, :frames]

        pulses, hiss = spectrum(self._pulses(smooth, gate)), spectrum(self._noise(smooth))
        level = torch.matmul(self.envelope, envelope)
        share = torch.matmul(self.bands, aperiodicity).clamp(0, 1)
        share = torch.where(voiced.unsqueeze(1) > 0.5, share, torch.ones_like(share))
        tone, breath = torch.sqrt(1 - share * share + 1e-6), share * noise
        real = pulses[:, :_BINS] * tone + hiss[:, :_BINS] * breath
        imaginary = pulses[:, _BINS:] * tone + hiss[:, _BINS:] * breath
        angle = torch.matmul(self.phase, level)
        c, s = torch.cos(angle) * torch.exp(level), torch.sin(angle) * torch.exp(level)
        shaped = torch.cat([real * c - imaginary * s, real * s + imaginary * c], 1)
        samples = functional.conv_transpose1d(shaped, inverse, stride=HOP)
        return samples[:, 0, FFT // 2 : -(FFT // 2 - HOP)]
