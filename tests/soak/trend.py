"""Whether something grows: a straight line through what was measured, and how sure it is. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

BLOCKS = 24
"""Neighbouring readings resemble each other and would look surer than they are: means of so many
blocks are taken for independent ones."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth per second, with a confidence interval of 95 %."""

    slope: float
    low: float
    high: float

    @property
    def grows(self) -> bool:
        """Whether standing still is outside the interval."""
        return self.low > 0


def trend(readings: Sequence[tuple[float, float]]) -> Trend:
    """Least squares through the means of blocks.

    Args:
        readings: moments in seconds, and values; at least 4 blocks' worth.

    Raises:
        ValueError: too few readings.
    """
    blocks = _blocks(readings)
    if len(blocks) < 4:
        raise ValueError(f"{len(readings)} readings are too few for a trend")
    slope, intercept = statistics.linear_regression(
        [at for at, _ in blocks], [value for _, value in blocks]
    )
    middle = statistics.fmean(at for at, _ in blocks)
    rest = sum((value - intercept - slope * at) ** 2 for at, value in blocks)
    spread = sum((at - middle) ** 2 for at, _ in blocks)
    error = math.sqrt(rest / (len(blocks) - 2) / spread)
    by = _student(len(blocks) - 2) * error
    return Trend(slope, slope - by, slope + by)


def _blocks(readings: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    count = min(BLOCKS, len(readings))
    cuts = [len(readings) * n // count for n in range(count + 1)] if count else []
    return [
        (
            statistics.fmean(at for at, _ in readings[a:b]),
            statistics.fmean(value for _, value in readings[a:b]),
        )
        for a, b in pairwise(cuts)
    ]


def _student(degrees: int) -> float:
    """The 97.5th percentile of Student's t: Cornish and Fisher's expansion around the normal one.

    Within 1 % from 3 degrees of freedom on (Abramowitz and Stegun, 26.7.5).
    """
    z = statistics.NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3
