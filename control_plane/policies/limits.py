"""How much a change may cost its callers, so that it can be refused before it is made. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from control_plane.policies.tally import Counts, Row

P95 = 0.95


class Limits(msgspec.Struct, frozen=True):
    """None: no limit. Shares are from 0 to 1."""

    max_refused_share: float | None = None
    """Of all sessions: refused, and placed as recorded."""
    max_moved_share: float | None = None
    """Placed in another region."""
    max_waits_share: float | None = None
    """Waiting more than a second longer."""
    max_slower_share: float | None = None
    """With a round trip that is more than a millisecond longer."""
    max_added_rtt_p95_ms: float | None = None
    """That the round trip grows by, of the moved: all but one in twenty stay below."""
    max_added_cost_share: float | None = None
    """Of what sessions cost as recorded."""


class Exceeded(msgspec.Struct, frozen=True):
    """A limit that is not kept."""

    limit: str
    """Its name, as in Limits."""
    most: float
    value: float
    tenant: str
    """Who is hit most."""
    of_tenant: float
    """How much of it is his: sessions, or dollars."""
    of_all: float
    hour_ms: int
    """When it is worst."""


class _Measure(NamedTuple):
    value: Callable[[Counts], float]
    hit: Callable[[Counts, float], float]
    """How much one tenant or hour has of it; the limit is handed in."""


def _share(name: str) -> _Measure:
    return _Measure(
        lambda counts: float(getattr(counts, name)) / max(1, counts.sessions),
        lambda counts, _: float(getattr(counts, name)),
    )


def added_cost_share(counts: Counts) -> float:
    """What sessions cost more, of what they cost as recorded."""
    added = counts.cost_after_usd - counts.cost_before_usd
    if counts.cost_before_usd:
        return added / counts.cost_before_usd
    return float("inf") if added > 0 else 0.0


_MEASURES = {
    "max_refused_share": _share("refused"),
    "max_moved_share": _share("moved"),
    "max_waits_share": _share("waits"),
    "max_slower_share": _share("slower"),
    "max_added_rtt_p95_ms": _Measure(
        lambda counts: counts.rtt_ms(P95),
        lambda counts, most: float(
            sum(count for ms, count in counts.added_rtt_ms.items() if ms > most)
        ),
    ),
    "max_added_cost_share": _Measure(
        added_cost_share, lambda counts, _: counts.cost_after_usd - counts.cost_before_usd
    ),
}


def exceeded(limits: Limits, rows: Sequence[Row]) -> tuple[Exceeded, ...]:
    """The limits that are not kept, and who is hit most."""
    return tuple(_exceeded(limits, rows))


def _exceeded(limits: Limits, rows: Sequence[Row]) -> Iterator[Exceeded]:
    total, by_tenant, by_hour = Counts(), dict[str, Counts](), dict[int, Counts]()
    for row in rows:
        for counts in (
            total,
            by_tenant.setdefault(row.tenant, Counts()),
            by_hour.setdefault(row.hour_ms, Counts()),
        ):
            counts.add(row.counts)
    for name, measure in _MEASURES.items():
        most = getattr(limits, name)
        if most is None or (value := measure.value(total)) <= most:
            continue
        hits = {tenant: measure.hit(counts, most) for tenant, counts in by_tenant.items()}
        worst = max(sorted(hits), key=lambda tenant: hits[tenant])
        hour_ms = max(sorted(by_hour), key=lambda at: measure.hit(by_hour[at], most))
        yield Exceeded(name, most, value, worst, hits[worst], measure.hit(total, most), hour_ms)
