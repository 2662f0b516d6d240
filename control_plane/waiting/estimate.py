"""How long somebody in line may have to wait: an interval, and what it goes by. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control_plane.waiting.ahead import Entry
from control_plane.waiting.ends import Seats
from control_plane.waiting.lengths import Known, Running
from control_plane.waiting.lineup import Others, Tenant
from control_plane.waiting.runs import play
from control_plane.waiting.shares import SEAT
from heliovox.protocol.control import Basis, Estimate

F64 = NDArray[np.float64]

MOST_PLAYED = 128
"""Of a line. Who stands farther back is told what follows from the pace of those before him."""
OVERHEAD_S = 0.2
"""From a session's end to a seat that is held for the next: report, decision, reservation."""


@dataclass(frozen=True, slots=True)
class Look:
    """All that an estimate is made from, taken at one moment."""

    order: Sequence[Entry]
    """All who wait for seats that suit the line, as they would be served."""
    until_s: Mapping[int, float]
    """How long each of them waits at most, from now."""
    waited_s: Mapping[int, float]
    """How long each of them has waited."""
    behind: Mapping[str, int]
    weights: Mapping[str, int]
    """Of tenants, those included who came lately and do not wait."""
    came: Mapping[str, int]
    within_s: float
    running: Sequence[tuple[Running, float]]
    """Sessions where the line may be served, and their ages in seconds."""
    known: Mapping[tuple[str, str], Known]
    """How long they last, by kind and tenant."""
    new: Known
    """How long sessions last that begin."""
    others: Others
    share: float = 1.0
    """Of seats that become free, those that went to whoever waits."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What may happen to everybody in a line: times to a seat, as of one moment."""

    at_s: float
    times: Sequence[F64]
    """By position, for each run."""
    basis: Basis

    def estimate(
        self, position: int, now_s: float, spread: float, confidence: float
    ) -> Estimate | None:
        """For whoever stands at a position, from 1; None where nobody can say.

        Args:
            position: in line now.
            now_s: now: time that passed since the look is taken off.
            spread: the share of what may happen that is told.
            confidence: what that is meant to come to.
        """
        if not self.times:
            return None
        last = min(position, len(self.times))
        times_s = self.times[last - 1] * (position / last)
        tail = (1.0 - spread) / 2.0
        low_s, high_s = np.quantile(times_s, (tail, 1.0 - tail), method="nearest")
        if not np.isfinite(high_s):
            return None
        passed_s = now_s - self.at_s
        low_s, high_s = (max(0.0, float(one) + OVERHEAD_S - passed_s) for one in (low_s, high_s))
        return Estimate(round(low_s, 1), round(high_s, 1), confidence, self.basis)

    def chance(self, position: int, within_s: float) -> float:
        """That a seat comes in time."""
        if not self.times:
            return 0.0
        last = min(position, len(self.times))
        times_s = self.times[last - 1] * (position / last)
        return float((times_s + OVERHEAD_S <= within_s).mean())


def outlook(look: Look, at_s: float, draw: np.random.Generator) -> Outlook:
    """What may happen, played through."""
    played = list(look.order)[:MOST_PLAYED]
    names = sorted(
        {one.tenant for one in played} | {name for name, count in look.came.items() if count}
    )
    tenants = [
        _tenant(look, name, [one.number for one in played if one.tenant == name]) for name in names
    ]
    seats = _seats(look)
    basis = Basis(look.new.source, look.new.sessions, len(look.running))
    if not played or not len(seats.ages_s):
        return Outlook(at_s, (), basis)
    served = play(seats, tenants, look.others, draw)
    times = np.sort(np.stack([served[one.number] for one in played]), axis=0)
    return Outlook(at_s, tuple(times), basis)


def _tenant(look: Look, name: str, numbers: list[int]) -> Tenant:
    return Tenant(
        weight=look.weights.get(name, 1),
        behind=look.behind.get(name, 0) / SEAT,
        numbers=sorted(numbers),
        until_s=[look.until_s[number] for number in sorted(numbers)],
        waited_s=[look.waited_s[number] for number in sorted(numbers)],
        came=look.came.get(name, 0),
    )


def _seats(look: Look) -> Seats:
    keys = sorted({(one.kind, one.tenant) for one, _ in look.running})
    at = {key: number for number, key in enumerate(keys)}
    return Seats(
        ages_s=np.array([age_s for _, age_s in look.running], np.float64),
        pool=np.array([at[one.kind, one.tenant] for one, _ in look.running], np.intp),
        beliefs=[*(look.known[key].belief for key in keys), look.new.belief],
        new=len(keys),
        share=look.share,
    )
