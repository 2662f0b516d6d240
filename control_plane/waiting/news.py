"""What of a place in line is worth telling again. Pure."""

from heliovox.protocol.control import Estimate, InLine

LEAST_S = 2.0
SHARE = 0.25
"""Of the width of the interval."""


def is_news(said: InLine, now: InLine, passed_s: float) -> bool:
    """Whether somebody who knows what was said would want to know what is.

    Args:
        said: the last thing that he was told.
        now: how it stands.
        passed_s: since then: an interval that has come so much nearer is the same.
    """
    if said.position != now.position:
        return True
    if said.estimate is None or now.estimate is None:
        return said.estimate is not now.estimate
    return _moved(said.estimate, now.estimate, passed_s)


def _moved(said: Estimate, now: Estimate, passed_s: float) -> bool:
    bound_s = max(LEAST_S, SHARE * (said.high_s - said.low_s))
    low_s, high_s = max(0.0, said.low_s - passed_s), max(0.0, said.high_s - passed_s)
    return abs(now.low_s - low_s) > bound_s or abs(now.high_s - high_s) > bound_s
