"""What lies in a store of content, as JSON."""

import msgspec

from heliovox.protocol.messages import EndReason, Word
from shared.regions.model import Kept

TRANSCRIPTS: Kept = "transcripts"
"""The kind of content that finals are, as policies call it."""


class KeptFinal(msgspec.Struct, frozen=True):
    """Words for good, as the caller was told them, and whose they are."""

    session: str
    seq: int
    text: str
    words: tuple[Word, ...]
    from_sample: int
    through_sample: int
    sample_rate: int
    """Of the caller's audio, in which samples are counted."""
    reason: EndReason
    at_ms: int
    """Since 1970, by the node's clock."""
    tenant: str
    caller: str | None
    """As the application calls him."""
    language: str
    node: str
    region: str
    """Of the node."""
    policy: str
    policy_version: str


class PlaceDeleted(msgspec.Struct, frozen=True):
    """What became of a session's content in one region's store."""

    region: str
    before: int | None
    """Pieces that were there; None where the store did not answer."""
    after: int | None
    """Likewise, when the store was asked again after the deletion."""
    why: str = ""
    """What failed, if something did."""
    nodes: tuple[str, ...] = ()
    """Whose the pieces were."""

    @property
    def verified(self) -> bool:
        """Whether the store said that nothing is left."""
        return self.after == 0


class Deletion(msgspec.Struct, frozen=True):
    """A receipt: it names no words and no caller."""

    session: str
    at_ms: int
    """Since 1970."""
    verified: bool
    """Whether every place said that nothing is left there."""
    places: tuple[PlaceDeleted, ...] = ()
