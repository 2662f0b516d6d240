"""What a node's failures still say of it: how much it stands back, and what it costs. Pure."""

import msgspec
import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

SHARES = (0.1, 0.5, 1.0)
"""Of what it would get, what a node gets that is ready again after a failure. Callers that find no
other room get it all."""
SHARE_ENDS_S = (300.0, 900.0)
"""After so long, of the first and of the second."""
LAPSE_MS = 10.0
"""What a seat that was not answered, or a session that was lost or failed, costs: 750 km of
distance. Half of it after five minutes, nothing after ten. More moves callers further away for a
single mishap."""
LAPSE_ENDS_S = (300.0, 600.0)
MOST_LAPSES = 10
"""Remembered of a node, the latest: together they cost 100 ms, which is as much as matters."""


class Past(msgspec.Struct):
    """One node's failures, as of now.

    A failure is a node that died without a goodbye, says that it is not well, or is not reached. It
    begins anew with every relapse. A drain, another tier, a first appearance and a restart after a
    goodbye are none.
    """

    failing: bool = False
    """It failed, and has not been ready since."""
    back_s: float | None = None
    """When it was ready again after its last failure."""
    lapses_s: list[float] = msgspec.field(default_factory=list)
    """When seats were not answered, and sessions were lost or failed, the latest last."""
    unreachable: bool = False
    """Where callers come in nobody answers."""

    def failed(self) -> None:
        """It stands back from when it is ready again."""
        self.failing, self.back_s = True, None

    def ready(self, now_s: float) -> None:
        """It takes sessions: the ramp begins, where it failed before."""
        if self.failing:
            self.failing, self.back_s = False, now_s

    def lapsed(self, now_s: float, times: int = 1) -> None:
        """A seat was not answered, or so many sessions were lost or failed."""
        self.lapses_s = [*self.lapses_s, *[now_s] * min(times, MOST_LAPSES)][-MOST_LAPSES:]

    @property
    def since_s(self) -> float:
        """The beginning of its ramp as a column has it."""
        if self.failing:
            return float("inf")
        return float("-inf") if self.back_s is None else self.back_s


def shares(since_s: F64, now_s: float) -> F64:
    """The share of every node.

    Args:
        since_s: when each was ready again: -inf where it never failed, inf where it still fails.
        now_s: the moment.
    """
    return np.array(SHARES).take(np.searchsorted(SHARE_ENDS_S, now_s - since_s, side="right"))


def history_ms(lapses_s: F64, now_s: float) -> F64:
    """What the lapses of every node cost, in milliseconds from 0 to 100.

    Args:
        lapses_s: shape (10, n), moments; -inf for none.
        now_s: the moment.
    """
    age_s = now_s - lapses_s
    counts = [np.count_nonzero(age_s < end_s, axis=0) for end_s in LAPSE_ENDS_S]
    cost_ms: F64 = LAPSE_MS / len(LAPSE_ENDS_S) * sum(counts, np.zeros(lapses_s.shape[1]))
    return cost_ms


def turns_s(since_s: F64, lapses_s: F64) -> F64:
    """The moments at which shares and costs change by themselves."""
    ramps = [since_s + end_s for end_s in SHARE_ENDS_S]
    return np.concatenate([*ramps, *(lapses_s.ravel() + end_s for end_s in LAPSE_ENDS_S)])
