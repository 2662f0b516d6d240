"""Sounds with a pitch that are no speech: keys, ringing, sweeps, instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import sawtooth, square

from training.stt.augment import seconds
from training.stt.features import SAMPLE_RATE

if TYPE_CHECKING:
    from training.stt.augment import F32, Rng

KEY_ROWS_HZ: Final = (697, 770, 852, 941)
KEY_COLUMNS_HZ: Final = (1209, 1336, 1477, 1633)
CALL_TONES_HZ: Final = ((440, 480), (350, 440), (480, 620), (425,), (400, 450))


def _pair(length: int, tones_hz: tuple[float, ...]) -> F32:
    t = np.arange(length) / SAMPLE_RATE
    return np.sum([np.sin(2 * np.pi * f * t) for f in tones_hz], axis=0).astype(np.float32)


def keys(length: int, rng: Rng) -> F32:
    """Telephone keys pressed one after the other."""
    y = np.zeros(length, np.float32)
    at = 0
    while at < length:
        press = _pair(
            seconds(rng.uniform(0.05, 0.4)), (rng.choice(KEY_ROWS_HZ), rng.choice(KEY_COLUMNS_HZ))
        )
        y[at : at + len(press)] = press[: length - at]
        at += len(press) + seconds(rng.uniform(0.03, 0.6))
    return y


def call_tone(length: int, rng: Rng) -> F32:
    """Ringing, busy or dial tone, switched on and off."""
    tone = _pair(length, CALL_TONES_HZ[int(rng.integers(len(CALL_TONES_HZ)))])
    period_s = rng.uniform(0.2, 3.0)
    on = (np.arange(length) / SAMPLE_RATE) % period_s < period_s * rng.uniform(0.3, 1.0)
    return (tone * on).astype(np.float32)


def sweep(length: int, rng: Rng) -> F32:
    """A siren: one tone that wanders."""
    points = rng.uniform(100, 3500, int(rng.integers(2, 9)))
    pitch_hz = np.interp(np.linspace(0, 1, length), np.linspace(0, 1, len(points)), points)
    return np.sin(2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE).astype(np.float32)


def _note(length: int, pitch_hz: float, timbre: int, rng: Rng) -> F32:
    t = np.arange(length) / SAMPLE_RATE
    vibrato = rng.uniform(0, 0.01) * np.sin(2 * np.pi * rng.uniform(4, 7) * t)
    phase = 2 * np.pi * pitch_hz * (t + vibrato / 30)
    if timbre == 0:
        y = sawtooth(phase, rng.uniform(0.05, 1))
    elif timbre == 1:
        y = square(phase, rng.uniform(0.2, 0.5))
    else:
        weights = rng.uniform(0, 1, 8) / np.arange(1, 9) ** rng.uniform(0.5, 2)
        y = np.sum([w * np.sin(k * phase) for k, w in enumerate(weights, start=1)], axis=0)
    attack = np.minimum(1, t / rng.uniform(0.003, 0.15))
    return np.asarray(y * attack * np.exp(-t * rng.uniform(0, 9)), np.float32)


def instruments(length: int, rng: Rng) -> F32:
    """One to three parts, each with its own tempo, range and timbre, of notes at random."""
    y = np.zeros(length, np.float32)
    for _ in range(rng.integers(1, 4)):
        timbre, low_hz = int(rng.integers(0, 4)), rng.uniform(60, 600)
        beat = seconds(rng.uniform(0.08, 1.2))
        for at in range(0, length, beat):
            pitch_hz = low_hz * 2 ** (rng.integers(0, 25) / 12)
            note = _note(int(beat * rng.uniform(0.5, 2.5)), pitch_hz, timbre, rng)
            y[at : at + len(note)] += note[: length - at] * np.float32(rng.uniform(0.2, 1))
    return y


def tonal(length: int, rng: Rng) -> F32:
    """One of them, mostly instruments."""
    kinds = (keys, call_tone, sweep, instruments, instruments, instruments)
    return kinds[int(rng.integers(len(kinds)))](length, rng)
