"""What a node says of itself: once a second, on every change, and when it goes."""

from typing import Literal

import msgspec

PERIOD_S = 1.0
STALE_S = 3.0
"""After so long without a report nobody new is placed on the node."""
DEAD_S = 5.0
"""After so long the node counts as gone, and its sessions with it."""

Tier = Literal["hot", "warm", "cold"]


class KindRoom(msgspec.Struct, frozen=True):
    """Room for one kind of session, were all that is left given to it."""

    held: int
    """Live sessions of this kind."""
    fits: int
    """Further ones that still fit, reservations already taken off."""


class CapacityReport(msgspec.Struct, frozen=True):
    """One node, as it is now. Numbers are sessions; times are milliseconds of the node's steps."""

    node: str
    region: str
    boot: str
    """Changes with every start of the node; sorts by time of start."""
    seq: int
    """Counts the reports of this boot."""
    at_ms: int
    """The node's wall clock. Only ever compared to see how far clocks are apart."""
    url: str
    """Where callers, and nodes that relay, open WebSockets."""
    version: str
    kinds: dict[str, KindRoom]
    limit: int
    """Sessions that the node carries at most, of any kind."""
    limited_by: Literal["calibration", "max_streams"] = "calibration"
    reserved: int = 0
    """Seats held for tickets that have not come yet."""
    languages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    step_p50_ms: float = 0.0
    step_p95_ms: float = 0.0
    queue: int = 0
    """Chunks that wait for the device."""
    tier: Tier = "hot"
    draining: bool = False
    healthy: bool = True
    """Every part's own check is well."""
    faults: int = 0
    """Sessions of this boot that ended through a fault of the node's own; only grows."""
    policy_version: str | None = None
    """Of the policies that the node admits by."""
    bundle_version: str | None = None
    """Of the bundle that it admits by: policies, keys and regions in service."""
    goodbye: bool = False
    """The last report of this boot."""

    @property
    def held(self) -> int:
        """Live sessions of all kinds."""
        return sum([room.held for room in self.kinds.values()])
