"""What a simulation came to, as one value. Pure."""

import msgspec

from control_plane.policies.limits import Exceeded, Limits, exceeded
from control_plane.policies.tally import Counts, Example, Row, Tally


class Review(msgspec.Struct, frozen=True):
    """A proposed world against recorded decisions."""

    before: tuple[str, ...]
    """Versions of the worlds that were decided by."""
    after: str
    """Of the proposed one."""
    first_ms: int | None
    """When the first session was asked for that counts."""
    last_ms: int | None
    total: Counts
    tenants: dict[str, Counts]
    rows: tuple[Row, ...]
    """By hour and tenant."""
    examples: tuple[Example, ...]
    exceeded: tuple[Exceeded, ...]
    decisions: int
    """That were gone through."""
    decided_again: int
    skipped: int
    """Decisions that nobody can go through: before the first snapshot, behind a gap."""
    direct: int = 0
    """Sessions that nodes admitted by themselves: where they are is not decided again."""
    direct_forbidden: int = 0
    """Of these, in regions that the proposed policy does not allow them."""
    left_out: int = 0
    """Places of the log that could not be read."""
    left_out_decisions: int | None = None
    """What they held; None where nobody knows."""


class Found(msgspec.Struct):
    """What one stretch of a log came to; stretches add up."""

    rows: dict[tuple[str, int], Counts]
    examples: list[Example]
    before: set[str]
    first_ms: int | None = None
    last_ms: int | None = None
    decisions: int = 0
    decided_again: int = 0
    skipped: int = 0
    direct: int = 0
    direct_forbidden: int = 0

    def add(self, other: "Found") -> None:
        """Takes in what follows."""
        for key, counts in other.rows.items():
            self.rows.setdefault(key, Counts()).add(counts)
        self.examples += other.examples
        self.before |= other.before
        firsts = [at for at in (self.first_ms, other.first_ms) if at is not None]
        lasts = [at for at in (self.last_ms, other.last_ms) if at is not None]
        self.first_ms = min(firsts, default=None)
        self.last_ms = max(lasts, default=None)
        for name in ("decisions", "decided_again", "skipped", "direct", "direct_forbidden"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def review(
    found: Found, after: str, limits: Limits, left_out: int = 0, decisions: int | None = None
) -> Review:
    """The whole of it.

    Args:
        found: of all stretches.
        after: the version of the proposed world.
        limits: to hold it against.
        left_out: places of the log that could not be read.
        decisions: that they held, where that is known.
    """
    tally = Tally(found.rows, found.examples)
    rows, tenants = tally.rows(), dict[str, Counts]()
    for row in rows:
        tenants.setdefault(row.tenant, Counts()).add(row.counts)
    return Review(
        before=tuple(sorted(found.before)),
        after=after,
        first_ms=found.first_ms,
        last_ms=found.last_ms,
        total=tally.total(),
        tenants=dict(sorted(tenants.items())),
        rows=rows,
        examples=tally.examples(),
        exceeded=exceeded(limits, rows),
        decisions=found.decisions,
        decided_again=found.decided_again,
        skipped=found.skipped,
        direct=found.direct,
        direct_forbidden=found.direct_forbidden,
        left_out=left_out,
        left_out_decisions=decisions,
    )
