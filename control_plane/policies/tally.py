"""What a simulation found, counted by tenant and hour, with examples. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from control_plane.policies.orders import Order

HOUR_MS = 3_600_000
WAITS_MS = 1000
"""A longer wait by less is none."""
SLOWER_MS = 1.0
"""Likewise, of a round trip."""
EXAMPLES = 5
"""Of each kind of change, each of another tenant or reason while there are some."""
_LOOKED_AT = 200


class Counts(msgspec.Struct):
    """Sessions that were asked for, and what becomes of them."""

    sessions: int = 0
    placed_before: int = 0
    placed_after: int = 0
    moved: int = 0
    """Placed in another region."""
    other_node: int = 0
    """Placed on another node of the same region."""
    refused: int = 0
    """Refused, and placed as recorded."""
    served: int = 0
    """The other way round."""
    waits: int = 0
    """Wait more than a second longer."""
    sooner: int = 0
    """The other way round."""
    slower: int = 0
    """Placed where the round trip is more than a millisecond longer."""
    wait_before_s: float = 0.0
    wait_after_s: float = 0.0
    """Of those that are placed."""
    cost_before_usd: float = 0.0
    cost_after_usd: float = 0.0
    added_rtt_ms: dict[int, int] = msgspec.field(default_factory=dict)
    """Of those that are moved: how many by whole milliseconds."""

    def rtt_ms(self, share: float) -> float:
        """What the round trip of so many of the moved grows by at most; 0 without any."""
        total, seen = sum(self.added_rtt_ms.values()), 0
        for ms, count in sorted(self.added_rtt_ms.items()):
            seen += count
            if seen >= share * total:
                return float(ms)
        return 0.0

    def add(self, other: "Counts") -> None:
        """Takes another's in."""
        for name in self.__struct_fields__:
            mine, its = getattr(self, name), getattr(other, name)
            if isinstance(mine, dict):
                for ms, count in its.items():
                    mine[ms] = mine.get(ms, 0) + count
            else:
                setattr(self, name, mine + its)


class Example(msgspec.Struct, frozen=True):
    """One session to look into: `heliovox why` tells of the decision as it was made."""

    change: str
    decision: str
    at_ms: int
    tenant: str
    policy: str
    before: str | None
    """`region/node`; None where there was no seat."""
    after: str | None
    why: str
    added_rtt_ms: float = 0.0
    added_wait_s: float = 0.0


class Row(msgspec.Struct, frozen=True):
    """One tenant in one hour."""

    tenant: str
    hour_ms: int
    counts: Counts


class Tally:
    """Counts orders that are over.

    Args:
        counted: by tenant and hour, so far.
        examples: so far.
    """

    def __init__(
        self,
        counted: dict[tuple[str, int], Counts] | None = None,
        examples: Sequence[Example] = (),
    ) -> None:
        self.counted = {} if counted is None else counted
        self._examples: dict[str, list[Example]] = {}
        for one in examples:
            self._examples.setdefault(one.change, []).append(one)

    def row(self, order: Order) -> Counts:
        """Where an order counts."""
        hour_ms = order.first_ms // HOUR_MS * HOUR_MS
        return self.counted.setdefault((order.first.ask.tenant, hour_ms), Counts())

    def add(self, order: Order) -> None:
        """One that is over on both sides."""
        counts = self.row(order)
        for change in _counted(order, counts):
            self._keep(change, order)

    def rows(self) -> tuple[Row, ...]:
        """By hour and tenant."""
        found = [Row(tenant, hour_ms, one) for (tenant, hour_ms), one in self.counted.items()]
        return tuple(sorted(found, key=lambda row: (row.hour_ms, row.tenant)))

    def total(self) -> Counts:
        """All of them."""
        total = Counts()
        for one in self.counted.values():
            total.add(one)
        return total

    def examples(self) -> tuple[Example, ...]:
        """A few of each change."""
        return tuple(one for change in CHANGES for one in _few(self._examples.get(change, [])))

    def _keep(self, change: str, order: Order) -> None:
        kept = self._examples.setdefault(change, [])
        if len(kept) < _LOOKED_AT:
            kept.append(_example(change, order))


CHANGES = ("refused", "moved", "waits", "slower", "served", "sooner")


def _counted(order: Order, counts: Counts) -> Iterator[str]:
    """Counts it, and says what is other."""
    before, after = order.recorded.seat, order.proposed.seat
    counts.sessions += 1
    if before is not None:
        counts.placed_before += 1
        counts.wait_before_s += (before.at_ms - order.first_ms) / 1000
    if after is not None:
        counts.placed_after += 1
        counts.wait_after_s += (after.at_ms - order.first_ms) / 1000
    if before is not None and after is None:
        counts.refused += 1
        yield "refused"
    if before is None and after is not None:
        counts.served += 1
        yield "served"
    if before is not None and after is not None:
        yield from _both_placed(order, counts)


def _both_placed(order: Order, counts: Counts) -> Iterator[str]:
    before, after = order.recorded.seat, order.proposed.seat
    assert before is not None
    assert after is not None
    later_ms = after.at_ms - before.at_ms
    if later_ms > WAITS_MS:
        counts.waits += 1
        yield "waits"
    if later_ms < -WAITS_MS:
        counts.sooner += 1
        yield "sooner"
    if before.region != after.region:
        counts.moved += 1
        added_ms = after.rtt_ms - before.rtt_ms
        counts.added_rtt_ms[round(added_ms)] = counts.added_rtt_ms.get(round(added_ms), 0) + 1
        yield "moved"
        if added_ms > SLOWER_MS:
            counts.slower += 1
            yield "slower"
    elif before.node != after.node:
        counts.other_node += 1


def _example(change: str, order: Order) -> Example:
    before, after, ask = order.recorded.seat, order.proposed.seat, order.first.ask
    both = before is not None and after is not None
    return Example(
        change=change,
        decision=order.decision or ask.id,
        at_ms=order.first_ms,
        tenant=ask.tenant,
        policy=order.first.policy,
        before=None if before is None else f"{before.region}/{before.node}",
        after=None if after is None else f"{after.region}/{after.node}",
        why=_why(order),
        added_rtt_ms=round(after.rtt_ms - before.rtt_ms, 1) if both else 0.0,  # type: ignore[union-attr]
        added_wait_s=(after.at_ms - before.at_ms) / 1000 if both else 0.0,  # type: ignore[union-attr]
    )


def _why(order: Order) -> str:
    """The clause that takes the recorded region away, or what was decided instead."""
    before = order.recorded.seat
    if before is not None and before.region in order.removed:
        return order.removed[before.region]
    return ", ".join(order.proposed.why)


def _few(examples: list[Example]) -> list[Example]:
    """The first of each tenant and reason, then the first of all."""
    first: dict[tuple[str, str], Example] = {}
    for one in examples:
        first.setdefault((one.tenant, one.why), one)
    chosen = list(first.values())[:EXAMPLES]
    chosen += [one for one in examples if one not in chosen][: EXAMPLES - len(chosen)]
    return chosen
