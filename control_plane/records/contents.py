"""What the blocks of a log say. Pure."""

import zlib
from typing import Literal, NamedTuple, TypeVar

import msgspec

from shared.exchange import SessionNote

T = TypeVar("T")
_MOST_BYTES = 64 * 2**20


class Header(msgspec.Struct, frozen=True):
    """What a log is of."""

    heliovox: str
    """The version that wrote it."""
    records: int
    """`control_plane.placement.record.FORMAT`, then."""
    made_at: str
    control_plane: str
    """Whose streams, by whose key."""
    world_version: str
    world: str
    """The regions file of whoever wrote it, word for word. What was decided by stands in the
    records themselves."""
    from_ms: int | None = None
    """Decisions from this moment on; what stands before it is where reading has to begin."""
    until_ms: int | None = None


class Recorded(NamedTuple):
    """A batch, and whose it is by the subject it came on."""

    plane: str
    data: bytes


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """That a session began or ended. Metadata: no words, and nobody's name but the tenant's."""

    session: str
    event: Literal["started", "ended"]
    at_ms: int
    node: str
    region: str
    admitted_by: str
    tenant: str
    policy: str
    language: str
    kind: str


class End(msgspec.Struct, frozen=True):
    """What the log should hold."""

    batches: int
    decisions: int
    notes: int
    planes: tuple[str, ...]
    first_ms: int | None
    """Of the first decision."""
    last_ms: int | None
    unreadable: int = 0
    """Messages of the streams that were no batches, or spoke for another control plane."""


def noted(note: SessionNote) -> Noted | None:
    """What a log keeps of a note; None where that is nothing."""
    if note.event not in ("started", "ended"):
        return None
    return Noted(
        note.session, note.event, note.at_ms, note.node, note.region, note.admitted_by,
        note.tenant, note.policy, note.language, note.kind,
    )  # fmt: skip


def packed(content: object) -> bytes:
    """A payload of anything but a batch, which is packed already."""
    return zlib.compress(msgspec.msgpack.encode(content), 6)


def unpacked(payload: bytes, kind: type[T]) -> T:
    """What a payload says. Raises ValueError where that is not of this kind."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(payload, _MOST_BYTES)
        return msgspec.msgpack.decode(plain, type=kind)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
