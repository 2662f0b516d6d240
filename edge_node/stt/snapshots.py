"""Saved streams: what an engine's state travels in, and what is refused when it comes back."""

import struct
from zlib import crc32

from edge_node.stt.engine import Profile, Snapshot
from shared.errors import SnapshotRefused

_HEADER = struct.Struct("<4sHIQ")  # magic, format, crc32 of the body, bytes of the body
_MAGIC = b"HVSS"


def seal(profile: Profile, version: int, sample: int, body: bytes) -> Snapshot:
    """The engine's own bytes, marked with all that must agree where they are opened."""
    header = _HEADER.pack(_MAGIC, version, crc32(body), len(body))
    return Snapshot(profile.model_hash, profile.variant, version, sample, header + body)


def unseal(profile: Profile, version: int, snapshot: Snapshot) -> bytes:
    """The engine's own bytes again.

    Raises:
        SnapshotRefused: of another model, variant or format, or not whole.
    """
    _agree("model_hash", snapshot.model_hash, profile.model_hash)
    _agree("variant", snapshot.variant, profile.variant)
    _agree("format", snapshot.format, version)
    if len(snapshot.state) < _HEADER.size:
        raise _not_whole(snapshot)
    magic, written, checksum, size = _HEADER.unpack_from(snapshot.state)
    body = snapshot.state[_HEADER.size :]
    if (magic, written, size, checksum) != (_MAGIC, version, len(body), crc32(body)):
        raise _not_whole(snapshot)
    return body


def _agree(field: str, theirs: object, ours: object) -> None:
    if theirs != ours:
        raise SnapshotRefused(
            f"the snapshot's {field} is {theirs}, this engine's is {ours}",
            field=field,
            value=theirs,
            remedy="restore it on a node that runs the model it was taken from",
        )


def _not_whole(snapshot: Snapshot) -> SnapshotRefused:
    return SnapshotRefused(
        f"the snapshot's {len(snapshot.state)} bytes are not what was saved",
        field="state",
        value=f"{len(snapshot.state)} bytes",
        remedy="fetch the snapshot again, or replay the audio from the last final",
    )
