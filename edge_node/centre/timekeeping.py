"""The time by which rules expire: a clock that is set back does not make them young again. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Anchor:
    """A moment that has passed for certain, on both clocks."""

    at_s: float
    """Seconds since 1970."""
    monotonic_s: float

    def now_s(self, wall_s: float, monotonic_s: float) -> float:
        """Seconds since 1970: what the wall clock says, or later where it was set back.

        Args:
            wall_s: seconds since 1970, as the machine has it.
            monotonic_s: of the clock that nobody sets.
        """
        return max(wall_s, self.at_s + max(0.0, monotonic_s - self.monotonic_s))


def ahead_s(iat: float, wall_s: float, signed_for_s: float) -> float:
    """How far a node's clock is ahead of the one that signed; less than 0 where it is behind.

    What lies between shows no difference: a bundle is handed out for a while after it was signed.

    Args:
        iat: when it was signed, by the other clock.
        wall_s: now, by the node's.
        signed_for_s: for how long a bundle is handed out.
    """
    if wall_s < iat:
        return wall_s - iat
    return max(0.0, wall_s - iat - signed_for_s)
