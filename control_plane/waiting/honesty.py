"""Whether what callers were told came true, and how wide it must be said so that it does. Pure.

An interval that was meant to hold eight of ten waits and held six is widened, whatever the reason:
a step for each wait that fell outside, a quarter of one back for each inside, so it settles where
the share is as promised (adaptive conformal inference; Gibbs and Candes 2021).
"""

CONFIDENCE = 0.8
"""Of waits that an interval is meant to hold."""
_STEP = 0.02
_LEAST, _MOST = 0.6, 0.98
_FADE = 0.99


class Honesty:
    """Keeps the score."""

    def __init__(self) -> None:
        self.spread = CONFIDENCE
        """Of what may happen, the share in the middle that is told."""
        self.inside = self.sooner = self.later = 0
        """Waits that were within what was said at their beginning, shorter, longer."""
        self._recent = 0.0
        self._recent_of = 0.0

    @property
    def covered(self) -> float | None:
        """The share of late that was inside; None where too few are known."""
        return self._recent / self._recent_of if self._recent_of >= 20 else None

    def counts(self) -> dict[str, float]:
        """Waits by whether what was first said came true."""
        return {
            "inside": float(self.inside),
            "sooner": float(self.sooner),
            "later": float(self.later),
        }

    def came(self, low_s: float, high_s: float, waited_s: float) -> None:
        """A wait is over, with a seat.

        Args:
            low_s: that was told at its beginning.
            high_s: likewise.
            waited_s: from then.
        """
        inside = low_s <= waited_s <= high_s
        self.inside += inside
        self.sooner += waited_s < low_s
        self.later += waited_s > high_s
        self._learn(inside=inside)

    def left(self, high_s: float, waited_s: float) -> None:
        """Somebody left. He counts only where he had waited longer than he was told."""
        if waited_s > high_s:
            self.later += 1
            self._learn(inside=False)

    def _learn(self, *, inside: bool) -> None:
        self._recent = self._recent * _FADE + inside
        self._recent_of = self._recent_of * _FADE + 1.0
        step = -(1.0 - CONFIDENCE) if inside else CONFIDENCE
        self.spread = min(_MOST, max(_LEAST, self.spread + _STEP * step))
