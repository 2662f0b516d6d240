"""What stands in a node's ledger. All numbers are whole; samples are the caller's own."""

from typing import Literal

import msgspec

Role = Literal["recogniser", "speaker", "relay"]
"""What a node did with what it heard. A relay passes on, and counts nothing."""
Unit = Literal["samples", "characters"]
NODE_DIED = "node_died"
"""Why a session ended that was open when its node was cut short."""


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="what"):
    """What all records are. A ledger adds `n`, `prev`, `boot`, `at_ms` and `up_ms`."""


class Boot(Record, frozen=True, tag="boot"):
    """The node started. Sessions that were open when it ended are closed by what follows."""

    node: str
    region: str
    key: str
    """The public half of the key that signs this ledger's heads: Ed25519, 64 hex digits."""
    version: str
    """Of the software."""
    torn_bytes: int = 0
    """Of a line that was being written when the node was cut short, and was cut off."""
    open: int = 0
    """Sessions that were open when it ended."""


class Opened(Record, frozen=True, tag="opened"):
    """The node is about to hear a session; durable before it hears anything of it."""

    session: str
    role: Role
    kind: str
    tenant: str
    policy: str
    policy_version: str
    bundle_version: str
    """Of the bundle that the node held; "" for none."""
    data: str
    language: str
    countries: tuple[str, ...]
    """With tenant, data, language and policy: what rules look at."""
    allowed: str
    """The digest of the regions that the policy comes to (`allowed.py`); "" where the node does not
    hold that version of the policies."""
    home: str
    admitted_by: str
    """`ticket`, `node` or `relay`."""
    decision: str | None = None
    """The control plane's, where it placed the session."""
    caller: str | None = None
    """A pseudonym of whoever speaks, or None."""
    rate: int = 0
    """Samples of a second; 0 where no audio is heard."""
    from_sample: int = 0
    """From where on this node counts; beyond 0 where another one had the session before."""


class Heard(Record, frozen=True, tag="heard"):
    """The node heard this much; several nodes may have heard the same."""

    session: str
    unit: Unit
    first: int = msgspec.field(name="from")
    """Counted from 0; `to` is left out."""
    end: int = msgspec.field(name="to")


class Counted(Record, frozen=True, tag="counted"):
    """This much counts as heard here; over all nodes everything counts exactly once."""

    session: str
    unit: Unit
    first: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")


class Closed(Record, frozen=True, tag="closed"):
    """The node hears no more of a session."""

    session: str
    reason: str
    samples: int | None
    """Up to here it heard; None where it died and cannot know."""
    characters: int | None
    total: int | None
    """Samples of the whole session, where it ended here; None where it went on elsewhere."""
    acked_seq: int = 0
    """The last final that the caller acknowledged."""
    acked_sample: int = 0
    """Up to where he has all words for good, by what he acknowledged."""
    unknown_from: int | None = None
    """What was heard from here on, if anything, nobody knows: the node died."""


class Deleted(Record, frozen=True, tag="deleted"):
    """Something that was kept of a session is gone, and was looked for afterwards."""

    session: str
    of: str
    """`transcripts`, `recovery`, ..."""
    regions: tuple[str, ...]
    """Where it was kept."""
    objects: int
    reason: str


class Missed(Record, frozen=True, tag="missed"):
    """Records that could not be taken, because the store was full or gone for too long."""

    records: int
    since_ms: int
    """Milliseconds since 1970."""


AnyRecord = Boot | Opened | Heard | Counted | Closed | Deleted | Missed
