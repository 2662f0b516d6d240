"""What happens to speech on its way: rooms, noise, microphones, telephone lines, cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, resample_poly, sosfilt

from training.stt.features import SAMPLE_RATE
from training.stt.splits import Split, draw_room

if TYPE_CHECKING:
    from collections.abc import Sequence

F32 = NDArray[np.float32]
Rng = np.random.Generator

TELEPHONE_BANDS_HZ: Final = ((150, 3700), (200, 3600), (220, 3450), (300, 3400), (300, 3200))


@dataclass(frozen=True, slots=True)
class Level:
    """How hard a copy is treated: each share is the probability of that treatment."""

    room: float
    microphone: float
    noise: float
    noise_from_db: float
    telephone: float


LIGHT: Final = Level(room=0.15, microphone=0.3, noise=0.5, noise_from_db=14, telephone=0.3)
HEAVY: Final = Level(room=0.35, microphone=0.5, noise=0.85, noise_from_db=6, telephone=0.4)


def seconds(length_s: float) -> int:
    """Samples in so many seconds."""
    return round(length_s * SAMPLE_RATE)


def rms(x: F32) -> float:
    """Root mean square of the samples, never 0."""
    return float(np.sqrt(np.mean(np.square(x)))) + 1e-7


def speed(x: F32, factor: float) -> F32:
    """Faster and higher (`factor` > 1) or slower and deeper: another vocal tract, roughly."""
    return resample_poly(x, round(100 / factor), 100).astype(np.float32)


def tight(x: F32, threshold: float) -> F32:
    """Without what is quieter than `threshold` times the peak at both ends."""
    loud = np.nonzero(np.abs(x) > threshold * float(np.max(np.abs(x), initial=0.0)))[0]
    return x[loud[0] : loud[-1] + 1] if len(loud) else x


def echo(x: F32, room: int) -> F32:
    """The speech in room number `room`: decaying noise after the direct sound."""
    rng = np.random.default_rng(room)
    length = seconds(rng.uniform(0.08, 0.45))
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= rng.uniform(0.05, 0.4) / np.sqrt(np.sum(np.square(tail)))
    tail[0] = 1.0
    return fftconvolve(x, tail)[: len(x)].astype(np.float32)


def microphone(x: F32, rng: Rng) -> F32:
    """One to three random peaks or dips of up to 9 dB, and a random tilt."""
    y = lfilter([1.0, rng.uniform(-0.5, 0.5)], [1.0], x)
    for _ in range(rng.integers(1, 4)):
        gain = 10 ** (rng.uniform(-9, 9) / 40)
        w = 2 * np.pi * rng.uniform(150, 3800) / SAMPLE_RATE
        alpha = np.sin(w) / (2 * rng.uniform(0.5, 2))
        b = np.array([1 + alpha * gain, -2 * np.cos(w), 1 - alpha * gain])
        a = np.array([1 + alpha / gain, -2 * np.cos(w), 1 - alpha / gain])
        y = lfilter(b / a[0], a / a[0], y)
    return np.asarray(y, np.float32)


def mulaw(x: F32) -> F32:
    """Through 8-bit mu-law and back."""
    packed = np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256)
    packed = np.round(packed * 128) / 128
    return (np.sign(packed) * (256 ** np.abs(packed) - 1) / 255).astype(np.float32)


def telephone(x: F32, rng: Rng) -> F32:
    """At 8 kHz, mostly in a telephone band, often mu-law, back at 16 kHz."""
    if rng.random() < 0.7:
        low, high = TELEPHONE_BANDS_HZ[rng.integers(len(TELEPHONE_BANDS_HZ))]
        x = sosfilt(butter(4, [low, high], "band", fs=SAMPLE_RATE, output="sos"), x)
    narrow = resample_poly(x, 1, 2)
    if rng.random() < 0.7:
        narrow = mulaw(np.clip(narrow, -1, 1))
    return resample_poly(narrow, 2, 1)[: len(x)].astype(np.float32)


def looped(x: F32, length: int, rng: Rng) -> F32:
    """`length` samples of `x` from a random place on, repeated where it is shorter."""
    return np.resize(np.roll(x, -int(rng.integers(len(x)))), length).astype(np.float32)


def noise(length: int, rng: Rng, recordings: Sequence[F32], babble: Sequence[F32]) -> F32:
    """Hiss, hum, a recording, or several people speaking at once."""
    kind = rng.random()
    if kind < 0.3 or (kind >= 0.7 and len(babble) < 5) or not recordings:
        hiss = rng.standard_normal(length)
        pole = rng.uniform(0.5, 0.98) if rng.random() < 0.7 else 0.0
        return lfilter([1.0], [1.0, -pole], hiss).astype(np.float32)
    if kind < 0.42:
        return hum(length, rng)
    if kind < 0.7:
        return looped(recordings[int(rng.integers(len(recordings)))], length, rng)
    voices = [
        looped(babble[int(rng.integers(len(babble)))], length, rng)
        for _ in range(rng.integers(2, 6))
    ]
    return np.asarray(np.sum(voices, axis=0), np.float32)


def hum(length: int, rng: Rng) -> F32:
    """Mains and motors: three tones and a little hiss."""
    t = np.arange(length) / SAMPLE_RATE
    tones = rng.choice((50, 60, 100, 120, 180, 300, 440), 3) * rng.uniform(0.9, 1.1, 3)
    y = sum(np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f in tones)
    return np.asarray(y + 0.1 * rng.standard_normal(length), np.float32)


def bursts(length: int, rng: Rng) -> F32:
    """Knocks, clicks and rustle over near silence: what a recogniser takes for short words."""
    y = rng.standard_normal(length) * 10 ** rng.uniform(-4, -2)
    for _ in range(rng.integers(1, 5)):
        burst = seconds(rng.uniform(0.01, 0.45))
        start = int(rng.integers(max(1, length - burst)))
        shape = np.exp(-rng.uniform(0, 8) * np.linspace(0, 1, burst)) * np.hanning(burst) ** 0.3
        color = lfilter([1.0], [1.0, -rng.uniform(-0.5, 0.97)], rng.standard_normal(burst))
        color *= rng.uniform(0.1, 1) / (np.max(np.abs(color)) + 1e-9)
        part = y[start : start + burst]
        part += (color * shape)[: len(part)]
    return y.astype(np.float32)


def noise_alone(rng: Rng, recordings: Sequence[F32], babble: Sequence[F32]) -> F32:
    """One to six seconds in which nobody says anything to us, at any loudness."""
    length = seconds(rng.uniform(1, 6))
    y = bursts(length, rng) if rng.random() < 0.4 else noise(length, rng, recordings, babble)
    y = y * (10 ** (rng.uniform(-50, -2) / 20) / (float(np.max(np.abs(y))) + 1e-9))
    return telephone(y, rng) if rng.random() < 0.3 else y


def leading_s(rng: Rng) -> float:
    """Silence before the first word: a third begin right at it, as after a cut."""
    return float(rng.uniform(0, 0.1) if rng.random() < 0.35 else rng.uniform(0.1, 0.7))


def degrade(
    x: F32, rng: Rng, level: Level, split: Split, recordings: Sequence[F32], babble: Sequence[F32]
) -> F32:
    """One copy of an utterance as a node may receive it: 16 kHz within +-1."""
    exact_zeros = rng.random() < 0.3
    lead, tail = seconds(leading_s(rng)), seconds(rng.uniform(0.3, 0.8))
    if not exact_zeros:
        x = np.pad(x, (lead, tail))
    if rng.random() < level.room:
        x = echo(x, draw_room(rng, split))
    if rng.random() < level.microphone:
        x = microphone(x, rng)
    if rng.random() < level.noise:
        around = noise(len(x), rng, recordings, babble)
        ratio_db = rng.uniform(level.noise_from_db, 40)
        x = x + around * (rms(x) / rms(around) * 10 ** (-ratio_db / 20))
    x = x * (10 ** (rng.uniform(-28, -1) / 20) / (float(np.max(np.abs(x))) + 1e-6))
    if rng.random() < level.telephone:
        x = telephone(x, rng)
    if rng.random() < 0.7:
        hiss = rng.standard_normal(len(x), np.float32)
        x = x + hiss * np.float32(1e-5 * rng.uniform(0.3, 30))
    if exact_zeros:
        x = np.pad(x, (lead, tail))
    return np.clip(x, -1, 1).astype(np.float32)
