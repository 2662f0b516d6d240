"""How likely a session of some age is to end now: counted, drawn, and turned into lengths. Pure.

Ages fall into bins, and within a bin the chance to end in the next second is the same. It is
sessions that ended at that age over seconds that sessions spent at that age. So sessions that still
run count with what they have shown, like in Kaplan and Meier's estimate, and a table of two numbers
a bin is all that has to be kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

EDGES_S: F64 = np.concatenate([[0.0, 1.0], np.geomspace(2.0, 86_400.0, 24)])
"""Where bins begin, in seconds of age; the last has no end. Steps of 1.6."""
BINS = len(EDGES_S)
_WIDTHS_S: F64 = np.append(np.diff(EDGES_S), np.inf)
_SESSIONS = 4.0
"""What is assumed of all sessions counts like so many that were seen."""
_LEAST = 0.3
"""Ends in a bin that its hazard is drawn as if from: with fewer most draws would be that nothing
ever ends there."""
_ASSUMED_S = 120.0
"""Half of all sessions are assumed to be over after so long, and of those left half after as long
again as they have lasted: the longer it has been, the longer it will be."""


_MIDDLES_S: F64 = EDGES_S + np.append(np.diff(EDGES_S), EDGES_S[-1]) / 2
ASSUMED: F64 = 1.0 / (_ASSUMED_S + _MIDDLES_S)
"""The chance to end in the next second, by bin, where nothing was seen yet."""


def spent_s(from_s: F64, to_s: F64) -> F64:
    """Seconds in each bin between two ages: shape (sessions, bins)."""
    upper = np.clip(to_s[:, None] - EDGES_S, 0.0, _WIDTHS_S)
    lower = np.clip(from_s[:, None] - EDGES_S, 0.0, _WIDTHS_S)
    return upper - lower


def bin_of(age_s: float) -> int:
    """Where an age falls."""
    return int(np.searchsorted(EDGES_S, age_s, side="right")) - 1


@dataclass(slots=True)
class Seen:
    """What was seen of a kind of sessions: the newest counts most, by how many ended since."""

    ends: F64
    """By bin."""
    spent_s: F64
    """By bin, of all sessions together."""

    @classmethod
    def nothing(cls) -> "Seen":
        """Yet."""
        return cls(np.zeros(BINS), np.zeros(BINS))

    @property
    def count(self) -> float:
        """Sessions that ended, as far as they still count."""
        return float(self.ends.sum())

    def fade(self, share: float) -> None:
        """So much of what was seen counts no more."""
        self.ends *= 1.0 - share
        self.spent_s *= 1.0 - share


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of the hazard in each bin: a gamma distribution, and a common doubt."""

    ends: F64
    spent_s: F64
    doubt: float
    """The logarithmic spread of a factor on all bins: what is assumed may be wrong as a whole."""

    @property
    def mean(self) -> F64:
        """By bin, per second."""
        return self.ends / self.spent_s

    def drawn(self, draw: np.random.Generator, times: int) -> F64:
        """Hazards that may be true: shape (times, bins)."""
        ends = np.maximum(self.ends, _LEAST)
        gamma = draw.standard_gamma(ends, (times, BINS)) * (self.mean / ends)
        factor = np.exp(self.doubt * draw.standard_normal((times, 1)))
        hazard: F64 = np.maximum(gamma * factor, 1e-9)
        return hazard


def belief(seen: Seen, before: "Belief | None" = None, sessions: float = _SESSIONS) -> Belief:
    """What was seen, on top of what was believed before.

    Args:
        seen: of these sessions.
        before: of sessions like these; None for what is assumed of all.
        sessions: that it counts for.
    """
    mean = ASSUMED if before is None else before.mean
    doubt = 1.0 if before is None else before.doubt
    ends = sessions * _shares(mean)
    return Belief(
        ends=seen.ends + ends,
        spent_s=seen.spent_s + ends / mean,
        doubt=doubt / np.sqrt(1.0 + seen.count / 2.0),
    )


def _shares(hazard: F64) -> F64:
    """Of sessions, those that end in each bin."""
    until = np.concatenate([[0.0], np.cumsum(hazard[:-1] * _WIDTHS_S[:-1]), [np.inf]])
    shares: F64 = np.maximum(-np.diff(np.exp(-until)), 1e-9)
    return shares


class Lives:
    """Lengths of sessions, as drawn hazards have them.

    Args:
        hazards: shape (draws, bins).
    """

    def __init__(self, hazards: F64) -> None:
        steps = hazards[:, :-1] * _WIDTHS_S[:-1]
        self._until = np.concatenate([np.zeros((len(hazards), 1)), steps.cumsum(axis=1)], axis=1)
        self._last = hazards[:, -1]

    def left_s(self, at: int, ages_s: F64, chance: F64) -> F64:
        """How much longer sessions of these ages live, by one of the draws.

        Args:
            at: which.
            ages_s: any shape.
            chance: exponentially distributed with mean 1, of a shape that ages fit.
        """
        until, last = self._until[at], self._last[at]
        spent = np.interp(ages_s, EDGES_S, until)
        spent = spent + np.maximum(ages_s - EDGES_S[-1], 0.0) * last
        target = spent + chance
        age_s = np.interp(target, until, EDGES_S)
        age_s = age_s + np.maximum(target - until[-1], 0.0) / last
        left: F64 = np.maximum(age_s - ages_s, 0.0)
        return left
