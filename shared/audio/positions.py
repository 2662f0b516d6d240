"""Positions in one stream, counted at different sample rates, without a rounding error.

Every rate of the protocol divides by 100, so a multiple of 10 ms is a whole sample in all of them:
that is the grid on which utterances begin and end.
"""

MODEL_RATE_HZ = 16000
"""The rate that every recogniser, voice and voice activity detector here works at."""

GRID_MS = 10
"""Boundaries lie on multiples of this."""


def at_rate(position_samples: int, from_hz: int, to_hz: int) -> int:
    """The sample at `to_hz` that sounds with `position_samples` at `from_hz`; rounded down.

    Exact for multiples of 10 ms between any two rates of the protocol.
    """
    return position_samples * to_hz // from_hz


def grid_samples(rate_hz: int) -> int:
    """Samples in 10 ms: 160 at 16 kHz."""
    return rate_hz * GRID_MS // 1000


def is_on_grid(position_samples: int, rate_hz: int) -> bool:
    """Is the position a multiple of 10 ms, and so a whole sample at every rate?"""
    return position_samples % grid_samples(rate_hz) == 0
