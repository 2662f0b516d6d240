"""What nodes and centre say to each other over the bus, as JSON.

Never speech, never an identity: callers appear by a pseudonym at most.
"""

from typing import Literal

import msgspec

from heliovox.protocol.control import InLine
from heliovox.protocol.messages import Place
from shared.regions.model import GENERAL

PlaceSource = Literal["given", "country", "address", "node"]
"""How a caller's place was found; `node` means that it is the region he connected to."""


class Reserve(msgspec.Struct, frozen=True):
    """Centre to node: hold a seat."""

    reservation: str
    session: str
    kind: str
    language: str
    model: str | None
    policy: str
    policy_version: str
    tenant: str
    ttl_s: float
    """From the moment the node grants it, on the node's monotonic clock."""
    data: str = GENERAL
    """What rules look at beside tenant and language, so that the node can see for itself."""
    countries: tuple[str, ...] = ()
    home: str = ""
    """The caller's home region."""
    resumes: int = 0
    """The session goes on here, by the recovery token of this number; 0 for a new session."""


class Reserved(msgspec.Struct, frozen=True):
    """Node to centre: held, or why not."""

    granted: bool
    node: str
    boot: str
    ttl_s: float = 0.0
    code: str | None = None
    """An error's code (shared.errors) where it is not granted: node_full, node_draining, ..."""
    message: str = ""
    held: int = 0
    limit: int = 0


class MoveTo(msgspec.Struct, frozen=True):
    """Where a live session goes: a seat is held there."""

    url: str
    ticket: str
    node: str
    region: str
    decision: str
    reason: str
    """A stable code: `moved`, `draining`, ..."""
    expires_s: float
    """How long the seat is held from now."""


class Command(msgspec.Struct, frozen=True):
    """Centre to node."""

    do: Literal["drain", "undrain", "end_session", "release", "move", "give_up"]
    """`move`: the session goes to `move` at the next end of an utterance. `give_up`: it goes on at
    another node from `through_sample` on, so nothing of it is kept here any more; a node that has
    nothing of it says yes, too."""
    epoch: int
    """Of whoever commands; a node ignores an older one than it has seen."""
    session: str | None = None
    reservation: str | None = None
    move: MoveTo | None = None
    through_sample: int = 0
    number: int = 0
    """Of the recovery token that the session goes on by elsewhere: who has it by a later one, since
    it came back meanwhile, keeps it and says no."""


class CommandDone(msgspec.Struct, frozen=True):
    """Node to centre."""

    ok: bool
    message: str = ""


class NodeAsk(msgspec.Struct, frozen=True):
    """Node to centre: a caller came straight to me and I cannot keep him; where should he go?"""

    kind: str
    language: str
    model: str | None
    policy: str
    tenant: str
    place: Place | None
    """None: take my region's."""
    place_source: PlaceSource = "node"
    why: str = ""
    """The code of the reason why the node does not take him: not_home, node_full, ..."""
    relay: bool = False
    """The caller cannot follow a redirect: the node would pass everything on, so the policy must
    allow its region too, and the ticket must say `relay`."""
    give_back: str | None = None
    """The session of an earlier answer whose caller is gone: its seat is free again. The other
    fields then say nothing, and the answer is `placed=False`."""
    data: str = GENERAL
    countries: tuple[str, ...] = ()
    """That the caller counts as being in, by the policy's `country_from`."""
    waits: bool = False
    """Whether the caller waits where the policy says so: the node asks on (NodeWait)."""


class NodeWait(msgspec.Struct, frozen=True):
    """Node to the control plane that put its caller in line: how does he stand?"""

    waiting: str
    """The name of his wait."""
    after: int = 0
    """The version that he knows: another one is answered at once."""
    wait_s: float = 0.0
    """How long the answer may take."""
    leave: bool = False
    """He is gone: his place, or the seat that he has by now, is free. The answer says nothing."""


class PlaceAnswer(msgspec.Struct, frozen=True):
    """Centre to node: a seat (where `node` is the asker, on it), a place in line, or a refusal."""

    placed: bool
    session: str = ""
    node: str = ""
    region: str = ""
    url: str = ""
    ticket: str = ""
    decision: str = ""
    code: str | None = None
    message: str = ""
    remedy: str | None = None
    retryable: bool = False
    in_line: InLine | None = None
    """No seat yet: ask this control plane again."""
    plane: str = ""
    """Whom to ask, where there is a place in line."""


class Ruled(msgspec.Struct, frozen=True):
    """What newer rules said of a live session whose region they forbid."""

    does: Literal["finish", "end", "move"]
    bundle_version: str
    policy_version: str
    clause: str
    """That took the region away."""


class SessionNote(msgspec.Struct, frozen=True):
    """Node to whoever counts: a session started, goes on, or ended. Append-only."""

    id: str
    """Unique: the stream drops what comes twice."""
    event: Literal["started", "usage", "ended", "paused", "resumed"]
    """`paused`: its connection is lost, and it may go on. `resumed`: it goes on, here."""
    session: str
    node: str
    region: str
    boot: str
    kind: str
    language: str
    model: str | None
    tenant: str
    policy: str
    policy_version: str
    decision: str | None
    """None where the node decided by itself."""
    admitted_by: Literal["ticket", "node", "relay"]
    at_ms: int
    audio_ms: int = 0
    """Heard in this session so far, by whichever nodes: it goes on where another one left off."""
    characters: int = 0
    """Said in this session so far, by this node."""
    paused_ms: int = 0
    """Without a connection so far, as this node knows."""
    reason: str | None = None
    """Why it ended."""
    bundle_version: str = ""
    """Of the rules by which the node let it in."""
    ruled: Ruled | None = None
    """Where newer rules forbade it while it ran."""
    caller: str | None = None
    """A pseudonym (`shared.pseudonyms`) of who speaks; None where the caller named nobody, or the
    node has no key to make one with."""
    recovery_number: int = 0
    """Of the session's latest recovery token; 0 where it cannot go on elsewhere."""
    recovery_sha256: str = ""
    """Of that token, in hex: what a control plane knows it by."""
    recovery_s: float = 0.0
    """How long after a lost connection it is good."""
    from_sample: int = 0
    """Where the node began with it: beyond 0 where another one had it before."""
    home: str = ""
    """The caller's home region, as the session was let in."""
    data: str = GENERAL
    """What rules looked at beside tenant and language: it may be placed anew only by the same."""
    countries: tuple[str, ...] = ()


class KeyGrant(msgspec.Struct, frozen=True):
    """A caller's key as nodes know it: its hash and what it permits."""

    sha256: str
    tenant: str
    policies: tuple[str, ...]
    """The first is the default; `*` stands for all."""


class News(msgspec.Struct, frozen=True):
    """Centre to all nodes: there is another bundle, ask for it."""

    version: str
    """Of the bundle."""
    policy_version: str


class Bundle(msgspec.Struct, frozen=True):
    """What a node needs to admit callers with the centre dark. Travels signed, and expires."""

    version: str
    """Of the bundle: changes with policies and with keys."""
    policy_version: str
    world: str
    """regions.yaml as it was published, word for word."""
    keys: tuple[KeyGrant, ...]
    in_service: tuple[str, ...]
    """Regions in which nodes stand: a caller's home region is one of these."""
    iat: int
    exp: int
    iss: str = "heliovox-control"
