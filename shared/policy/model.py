"""What a policy comes to once zones, dates and rules are worked out into regions."""

from dataclasses import dataclass, field

from shared.regions.model import GENERAL, Kept, LedgerNeed, WhenForbidden, WhenFull


@dataclass(frozen=True, slots=True)
class KeptIn:
    """Where something of a session may be stored, and for how long."""

    what: Kept
    regions: frozenset[str]
    days: int


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy with zones and jurisdictions worked out into regions.

    Raises ValueError where anything would leave the allowed set.
    """

    name: str
    version: str
    """Of the world that it was compiled from."""
    allowed: frozenset[str]
    """The regions that may take a session."""
    overflow: frozenset[str]
    """Those that may take one whose home is elsewhere."""
    max_added_rtt_ms: float | None
    """Of overflow, over the home region's round trip; None for any."""
    when_full: WhenFull
    wait_s: float
    preferred: frozenset[str] = frozenset()
    """Subset of allowed: the home region is one of these, where one is in service."""
    from_load: float = 1.0
    """Share of the home region's seats from which on overflow begins, though some are left."""
    max_added_cost_usd: float | None = None
    """Of overflow, over the hourly cost of the home region; None for any."""
    rules: tuple[str, ...] = ()
    """Names of the rules that made it what it is, beside the policy itself."""
    removed: tuple[tuple[str, str], ...] = field(default=(), hash=False)
    """Regions that are not allowed, by name, and the clause that took each away: `eu-only.allow`,
    `health.require.hipaa`. Left out of the hash, which every decision asks for."""
    keep: tuple[KeptIn, ...] = ()
    """What may be stored, by name; what is not named may not be."""
    restricted: bool = False
    """Nobody is let in by rules that have expired."""
    after_expiry_s: int = 0
    """For how long after their expiry rules still let sessions in; 0 where restricted."""
    when_forbidden: WhenForbidden = "end"
    """What becomes of a live session whose region newer rules forbid."""
    recovery_s: float | None = None
    """How long a session may go on after its connection was lost; None for as its node says."""
    ledger: LedgerNeed = "wanted"
    """Whether nothing of a session may be heard where no ledger can say so."""

    def __post_init__(self) -> None:
        stored = frozenset().union(*(kept.regions for kept in self.keep))
        if outside := (self.overflow | self.preferred | stored) - self.allowed:
            raise ValueError(f"{self.name}: {sorted(outside)} is not allowed")
        if self.restricted and self.after_expiry_s:
            raise ValueError(f"{self.name}: restricted, and let in after expiry")


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at: everything about a session that decides where it may be."""

    tenant: str = ""
    data: str = GENERAL
    """What kind of data it carries: `health`, ..."""
    language: str = ""
    countries: frozenset[str] = frozenset()
    """That the caller counts as being in: ISO 3166 codes in lower case."""
