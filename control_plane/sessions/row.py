"""One session as the centre knows it (pure)."""

from typing import Literal

import msgspec

from heliovox.protocol.control import RuledView, SessionView
from shared.exchange import Ruled
from shared.regions.model import GENERAL

State = Literal["reserved", "live", "paused", "ended", "lost"]
STATES: tuple[State, ...] = ("reserved", "live", "paused", "ended", "lost")
GRACE_MS = 5_000
"""A token is good here for so much longer than the node said: notes travel, and clocks differ."""


class Copy(msgspec.Struct, frozen=True):
    """A session at a start of a node that has it no more, or should not."""

    session: str
    region: str
    node: str
    boot: str
    through_sample: int = 0
    """It goes on elsewhere from there."""
    number: int = 0
    """Of the recovery token that it goes on by."""
    at_ms: int = 0
    """When it went on elsewhere."""


class Row(msgspec.Struct, frozen=True):
    """One session."""

    session: str
    state: State
    node: str
    region: str
    kind: str
    language: str
    tenant: str
    policy: str
    decision: str | None
    admitted_by: str
    since_ms: int
    boot: str = ""
    reservation: str | None = None
    until_ms: int = 0
    """A reserved one is given up then."""
    audio_ms: int = 0
    characters: int = 0
    reason: str | None = None
    policy_version: str = ""
    bundle_version: str = ""
    ruled: Ruled | None = None
    caller: str | None = None
    model: str | None = None
    home: str = ""
    data: str = GENERAL
    countries: tuple[str, ...] = ()
    recovery_number: int = 0
    """Of its latest recovery token; 0 where it cannot go on elsewhere."""
    recovery_sha256: str = ""
    recovery_s: float = 0.0
    turned: tuple[int, int] = (0, 0)
    """The note that decided its state last: the number of its token, and 1 for a pause."""
    noted_ms: int = 0
    """When its node said something of it last."""
    took_ms: int = 0
    """When its node began, or went on, with it."""
    from_sample: int = 0
    came_from: str | None = None
    """The node that had it before."""
    paused_at_ms: int = 0
    """When its connection was lost, or its node; 0 while neither is."""
    paused_ms: int = 0
    paused_before_ms: int = 0
    """Of these, at earlier nodes and between nodes."""
    supposed: bool = False
    """Ended as the centre supposes, with nobody there to say so: a note outranks that."""

    @property
    def recovers(self) -> bool:
        """Whether it can go on at another node."""
        return self.recovery_number > 0

    @property
    def waits(self) -> bool:
        """Whether it is somewhere between two connections."""
        return self.state == "paused" or (self.state == "lost" and self.recovers)

    @property
    def open(self) -> bool:
        """Whether it goes on, or may, as far as is known."""
        return self.state in ("reserved", "live") or self.waits

    @property
    def good_until_ms(self) -> int:
        """Until when its recovery token is good, while it waits."""
        return self.paused_at_ms + round(self.recovery_s * 1000) + GRACE_MS

    def view(self) -> SessionView:
        """As the API says it."""
        return SessionView(
            session=self.session,
            state=self.state,
            node=self.node,
            region=self.region,
            kind=self.kind,
            language=self.language,
            tenant=self.tenant,
            policy=self.policy,
            decision=self.decision,
            admitted_by=self.admitted_by,
            since_ms=self.since_ms,
            audio_ms=self.audio_ms,
            characters=self.characters,
            reason=self.reason,
            policy_version=self.policy_version,
            bundle_version=self.bundle_version,
            ruled=None if self.ruled is None else RuledView(**msgspec.structs.asdict(self.ruled)),
            caller=self.caller,
            recovers=self.recovers,
            came_from=self.came_from,
            paused_ms=self.paused_ms,
            paused_at_ms=self.paused_at_ms if self.waits else None,
        )
