"""What the control API says and is asked (`/schema` describes the same), for SDK and centre.

Names ending in `_ms` are milliseconds, `_s` seconds.
"""

from typing import Literal

import msgspec

from heliovox.protocol.messages import Place


class SessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/sessions`: where may, and can, this caller's session go?"""

    kind: str = "recognition"
    language: str = "en"
    model: str | None = None
    policy: str | None = None
    """None takes the key's default."""
    place: Place | None = None
    """Where the caller is. Without it `country`, then `address`, then the request's own address."""
    country: str | None = None
    """That the caller says he is in: ISO 3166, two letters. Whether it counts beside his address,
    the policy says (`country_from`)."""
    address: str | None = None
    """An IP address of the caller, where a server asks on his behalf."""
    data: str | None = None
    """What kind of data the session carries, such as `health`; None is `general`."""


class ResumeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another node for a session whose own is gone, full or out of reach."""

    token: str
    """The latest that the session's `started.recovery` gave."""
    request: SessionRequest
    """As the session was opened."""
    without: tuple[str, ...] = ()
    """Nodes that did not answer; at most 16."""


class MoveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To another node, while it goes on."""

    to: str | None = None
    """The node; None for the best of the others."""


class Moved(msgspec.Struct, frozen=True):
    """A seat is held there, and the session was told to go."""

    session: str
    from_node: str
    to_node: str
    to_region: str
    decision: str


class Placed(msgspec.Struct, frozen=True):
    """A seat is held: connect to `url` with `ticket` before `expires_s` is over."""

    session: str
    node: str
    region: str
    url: str
    ticket: str
    expires_s: float
    decision: str
    policy: str
    policy_version: str
    home_region: str
    overflow: bool
    """Whether the region is another than the home region."""
    reasons: tuple[str, ...]
    """Stable codes: nearest_allowed, overflow_home_full, ..."""
    rtt_ms: float
    """The round trip to expect."""


class Basis(msgspec.Struct, frozen=True):
    """What an estimate goes by."""

    source: Literal["assumed", "kind", "tenant", "recent"]
    """Too little was seen yet, so lengths are assumed; all sessions of the kind; those of the
    tenant; or the latest alone, since they are other than those before."""
    sessions: int
    """Ended ones behind it."""
    running: int
    """Sessions now where there may be a seat."""
    covered: float | None = None
    """Of waits that ended lately, the share that was within what was first said; None: too few."""


class Estimate(msgspec.Struct, frozen=True):
    """How long until a seat is held, from now."""

    low_s: float
    high_s: float
    confidence: float
    """Of waits, the share that is meant to be within."""
    based_on: Basis
    chance: float = 1.0
    """That it comes before the wait is over."""


class InLine(msgspec.Struct, frozen=True):
    """No seat yet: ask at `/v1/waiting/{waiting}`."""

    waiting: str
    """The name of this wait."""
    expires_s: float
    """It is over by then at the latest, with a seat or a refusal."""
    position: int
    """From 1: how many are served until the caller is, as things stand. Tenants take turns by
    their weights, so it may grow when others come."""
    estimate: Estimate | None = None
    """None while nobody can say."""
    version: int = 1
    """Rises with every change worth telling: `?after=` waits for the next one."""


class Loser(msgspec.Struct, frozen=True):
    """A node that did not get the session, and why."""

    node: str
    region: str
    reason: str
    """A stable code: not_allowed, stale, dead, draining, full, no_language, ranked_lower, ..."""
    rtt_ms: float | None = None
    cost_ms: float | None = None
    """What it was ranked by, where it was ranked."""
    step_ms: float | None = None
    """Part of the cost: the 95th percentile of the node's step."""
    queue_ms: float | None = None
    """Part of the cost: what the chunks that wait for its device take."""
    load_ms: float | None = None
    """Part of the cost: what a fuller node costs over an empty one."""
    history_ms: float | None = None
    """Part of the cost: what seats not answered and sessions lost lately cost."""
    price_ms: float | None = None
    """What the price of its region weighs: beside the cost where the centre is conservative, else
    part of it."""
    held: int | None = None
    """Sessions and seats held for tickets, of any kind."""
    limit: int | None = None
    """Of these at most."""
    fits: int | None = None
    """Sessions of the kind that still fitted."""
    queue: int | None = None
    """Chunks that waited for its device."""
    share: float | None = None
    """Less than 1 where it failed lately."""
    stands_back: bool | None = None
    """Whether it came after all that did not fail lately, this time."""
    rank_class: int | None = None
    """Lower classes come first whatever they cost: 0 and 1 are the home region and overflow, or,
    where overflow has begun, overflow that is not loaded, home (1) and other overflow (2)."""
    region_load: float | None = None
    """The share of its region's seats for the kind that is taken."""


Reader = Literal["caller", "operator", "compliance"]
"""For whom a decision is told."""


class DecisionView(msgspec.Struct, frozen=True, tag_field="reader", tag="operator"):
    """`GET /v1/decisions/{id}?for=operator`: a decision and everything it was made from."""

    id: str
    at_ms: int
    control_plane: str
    view: int
    """The number of the fleet view that it was made on."""
    kind: str
    language: str
    model: str | None
    policy: str
    policy_version: str
    tenant: str
    place: Place | None
    place_source: str
    allowed_regions: tuple[str, ...]
    home_region: str | None
    outcome: Literal["placed", "refused"]
    node: str | None
    region: str | None
    reasons: tuple[str, ...]
    ranking: tuple[Loser, ...]
    """The able nodes, best first, the winner included (reason `winner`)."""
    losers: tuple[Loser, ...]
    attempts: tuple[str, ...] = ()
    """What nodes answered when a seat was asked for, in order: `node: code`."""
    session: str | None = None
    omitted: int = 0
    """Nodes left out of `ranking` and `losers`, where another control plane, or an earlier start of
    this one, made the decision among many."""
    refusal: Literal["no_room", "not_allowed"] | None = None
    """`no_room`: later it may be otherwise. `not_allowed`: nothing that is allowed offers this."""
    data: str = "general"
    """The kind of data that it carries."""
    countries: tuple[str, ...] = ()
    """That the caller counts as being in."""
    rules: tuple[str, ...] = ()
    """That made the policy what it is for this session, beside the policy itself."""
    removed: dict[str, str] = {}
    """Regions that are not allowed, and the clause that took each away: `health.require.hipaa`."""
    signed_by: str = ""
    """The key that these policies went out to nodes under: the first 12 hex digits of the SHA-256
    of its public half (DER)."""
    overflow_regions: tuple[str, ...] = ()
    """Where it may go beyond its home region."""
    preferred_regions: tuple[str, ...] = ()
    max_added_rtt_ms: float | None = None
    """Of overflow, over the home region's round trip."""
    max_added_cost_usd: float | None = None
    """Of overflow, over the hourly cost of the home region."""
    from_load: float = 1.0
    """Overflow begins where so much of the home region is taken; at 1 where it is full."""
    home_load: float | None = None
    """So much of it was."""
    conservative: bool = True
    """Whether money chose only among nodes that were as good without it."""
    cost_ms_per_usd: float = 0.0
    """What a dollar of a node's hour weighs."""
    draw: float = 0.0
    """Which of the nodes that were as good was taken."""
    ramp: float = 0.0
    """Nodes of a lesser or equal share stood back."""
    continues: str | None = None
    """The session that was placed anew, where it was not a new one."""
    because: str | None = None
    """Why it went on elsewhere: `resumed`, `moved`, `draining`."""
    came_from: str | None = None
    """The node that had it."""


Advice = Literal["connect", "try_again", "ask_for_what_is_offered", "use_another_policy"]
"""What a caller does best: use the seat; ask again later; ask for another kind, language or model;
or, where the policy leaves nothing, use another one."""


class CallerWhy(msgspec.Struct, frozen=True, tag_field="reader", tag="caller"):
    """`?for=caller`: why here, or why refused, and what to do."""

    id: str
    at_ms: int
    outcome: Literal["placed", "refused"]
    """Placed is who has a seat."""
    reasons: tuple[str, ...]
    """Stable codes, as of the decision; `no_seat_given` where no node that was asked gave one."""
    advice: Advice
    kind: str
    language: str
    model: str | None
    policy: str
    policy_version: str
    allowed_regions: tuple[str, ...]
    home_region: str | None
    node: str | None
    region: str | None
    rtt_ms: float | None
    """The round trip to expect."""
    session: str | None
    continues: str | None = None
    """As in DecisionView, and so are the next two."""
    because: str | None = None
    came_from: str | None = None


class AllowedRegion(msgspec.Struct, frozen=True):
    """A region where the session may be."""

    region: str
    clause: str
    """That allows it, and that nothing took away: `eu-only.allow`."""
    home: bool
    overflow: bool
    """Whether it may be there with its home elsewhere."""
    preferred: bool


class RemovedRegion(msgspec.Struct, frozen=True):
    """A region where the session may not be."""

    region: str
    clause: str
    """The first that took it away: `eu-only.allow`, `minors.forbid`, `health.require.hipaa`."""


class ComplianceWhy(msgspec.Struct, frozen=True, tag_field="reader", tag="compliance"):
    """`?for=compliance`: which clauses of which version held, signed by whom, for which facts."""

    id: str
    at_ms: int
    """The moment that decided which rules were in force."""
    control_plane: str
    tenant: str
    data: str
    language: str
    countries: tuple[str, ...]
    place: Place | None
    place_source: str
    policy: str
    policy_version: str
    """Of everything that the regions file said: the first 12 hex digits of its SHA-256."""
    rules: tuple[str, ...]
    """That were about the session and in force."""
    signed_by: str
    """As in DecisionView."""
    allowed: tuple[AllowedRegion, ...]
    removed: tuple[RemovedRegion, ...]
    home_region: str | None
    outcome: Literal["placed", "refused"]
    region: str | None
    within_policy: bool
    """Whether the session is nowhere but where it may be."""
    session: str | None
    continues: str | None = None
    """As in DecisionView, and so are the next two."""
    because: str | None = None
    came_from: str | None = None


Why = CallerWhy | DecisionView | ComplianceWhy
"""`GET /v1/decisions/{id}`: `reader` says which."""


class NodeView(msgspec.Struct, frozen=True):
    """A node as the centre sees it now."""

    node: str
    region: str
    state: Literal["ready", "draining", "stale", "dead", "conflict", "unwell", "unreachable"]
    tier: str
    url: str
    version: str
    held: int
    limit: int
    reserved: int
    fits: dict[str, int]
    """Sessions that still fit, by kind."""
    step_p95_ms: float
    age_s: float
    """Since the last report."""
    languages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    clock_skew_s: float = 0.0
    policy_version: str | None = None
    bundle_version: str | None = None
    """Of the bundle that it admits by; `GET /v1/bundle` says which is current."""
    share: float = 1.0
    """Less than 1 of a node that failed lately: it stands back for all but so many callers."""
    history_ms: float = 0.0
    """What seats not answered and sessions lost lately add to its cost."""


class BundleView(msgspec.Struct, frozen=True):
    """`GET /v1/bundle`: what nodes should admit by now. A node that reports another is behind."""

    version: str
    """Changes with policies, keys and regions in service."""
    policy_version: str
    in_service: tuple[str, ...]
    """Regions that may be a caller's home."""


class LedgerView(msgspec.Struct, frozen=True):
    """`GET /v1/ledger`: what the centre states of a time, as files of a bundle (docs/ledger.md)."""

    files: dict[str, str]


class RegionView(msgspec.Struct, frozen=True):
    """A region and what stands there."""

    region: str
    place: Place
    time_zone: str
    jurisdiction: str
    zones: tuple[str, ...]
    hourly_cost_usd: float
    nodes: int
    ready: int
    held: int
    fits: dict[str, int]
    load: dict[str, float] = {}
    """Share of the seats that is taken, by kind, as overflow sees it: it falls 0.05 late."""


class RuledView(msgspec.Struct, frozen=True):
    """What a node's newer rules said of a live session whose region they forbid."""

    does: Literal["finish", "end", "move"]
    bundle_version: str
    policy_version: str
    clause: str


class SessionView(msgspec.Struct, frozen=True):
    """A session as the centre knows it."""

    session: str
    state: Literal["reserved", "live", "paused", "ended", "lost"]
    """`paused`: its connection is lost. `lost`: its node is. Either may go on, if it `recovers`."""
    node: str
    region: str
    kind: str
    language: str
    tenant: str
    policy: str
    decision: str | None
    admitted_by: str
    since_ms: int
    audio_ms: int = 0
    characters: int = 0
    reason: str | None = None
    policy_version: str = ""
    """By which the node let it in."""
    bundle_version: str = ""
    ruled: RuledView | None = None
    """Where newer rules forbade it while it ran."""
    caller: str | None = None
    """A pseudonym that the node's region made of the caller's id; nobody elsewhere knows whose."""
    recovers: bool = False
    """Whether it can go on at another node."""
    came_from: str | None = None
    """The node that had it before."""
    paused_ms: int = 0
    """Without a connection so far."""
    paused_at_ms: int | None = None
    """Since when it waits to go on, where it does; in milliseconds since 1970."""


class NearestView(msgspec.Struct, frozen=True):
    """`GET /v1/nearest`: where a caller with nothing but a key should connect, best first."""

    region: str
    node: str
    url: str
    rtt_ms: float


class PolicyView(msgspec.Struct, frozen=True):
    """`GET /v1/policies`: where sessions under a policy may be."""

    policy: str
    version: str
    default: bool
    """Whether it is the world's default."""
    permitted: bool
    """Whether the key that asks may use it."""
    allowed_regions: tuple[str, ...]
    overflow_regions: tuple[str, ...]
    """Where sessions may go beyond their home region."""
    max_added_rtt_ms: float | None
    when_full: Literal["refuse", "wait", "call_back"]
    wait_s: float


class UsageView(msgspec.Struct, frozen=True):
    """`GET /v1/usage`: what one tenant's sessions used in one region with one model."""

    tenant: str
    region: str
    model: str | None
    sessions: int
    """Started."""
    audio_ms: int
    """Heard."""
    characters: int
    """Said."""
    paused_ms: int
