"""A session that somebody asked for, on its way on both sides. Pure."""

from dataclasses import dataclass, field

from control_plane.placement.record import Decided
from shared.policy import CompiledPolicy

ROUNDS_MS = 2500
"""Decisions about one order may follow each other for so long though nobody waits: those who were
asked for a seat had none."""


@dataclass(slots=True)
class Seat:
    """Where a session got one."""

    at_ms: int
    node: str
    region: str
    rtt_ms: float
    usd_per_h: float
    """Of one seat."""


@dataclass(slots=True)
class Side:
    """What becomes of an order: open, seated, or refused."""

    until_ms: int
    """It is refused then, where it is still open."""
    patient: bool
    """Whether it waits for a seat."""
    seat: Seat | None = None
    why: tuple[str, ...] = ()
    """Codes of the last decision."""
    over: bool = False

    def decided(self, seat: Seat | None, why: tuple[str, ...], *, hopeless: bool) -> None:
        """A decision was made; without a seat it is open still, where there is any hope."""
        self.why = why
        self.seat, self.over = seat, seat is not None or hopeless

    def refused(self) -> None:
        """It gets none."""
        self.over = True


@dataclass(slots=True, eq=False)
class Order:
    """One session that was asked for."""

    first: Decided
    """The first decision about it."""
    recorded: Side
    proposed: Side
    removed: dict[str, str] = field(default_factory=dict)
    """Regions that the proposed policy takes away, and by which clause."""
    decision: str = ""
    """The last one, as it was recorded."""
    session: str | None = None
    """As it was recorded."""

    @property
    def first_ms(self) -> int:
        """When it was first decided on."""
        return self.first.ask.at_ms

    @property
    def over(self) -> bool:
        """Whether it is decided on both sides."""
        return self.recorded.over and self.proposed.over

    @property
    def stands(self) -> tuple[bool, bool]:
        """What is decided: as recorded, and instead."""
        return self.recorded.over, self.proposed.over

    @property
    def key(self) -> str:
        """Equal for all decisions about it."""
        return self.first.ask.order or self.first.ask.id


def side_of(policy: CompiledPolicy | None, first: Decided) -> Side:
    """A side where nothing happened yet; without a policy nobody waits."""
    patience_ms = _patience_ms(policy, may_wait=first.ask.may_wait)
    until_ms = first.ask.at_ms + patience_ms + ROUNDS_MS
    return Side(until_ms, patient=patience_ms > 0)


def _patience_ms(policy: CompiledPolicy | None, *, may_wait: bool) -> int:
    if policy is None or policy.when_full == "refuse":
        return 0
    if policy.when_full == "wait" and not may_wait:
        return 0
    return round(policy.wait_s * 1000)
