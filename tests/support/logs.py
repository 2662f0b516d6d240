"""Logs of decisions for tests: an hour of the simulated world, or a few minutes, as a file."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from control_plane.placement import record as records
from control_plane.placement.record import Batch
from control_plane.records.contents import End, Header, Noted
from control_plane.records.log import LogWriter

HEADER = Header("0.1.0", records.FORMAT, "2027-01-01T00:00:00Z", "plane-1", "v1", "regions: {}\n")
_encoder = msgspec.msgpack.Encoder(enc_hook=dict)


def packed(batch: Batch) -> bytes:
    """As the stream keeps it."""
    return records.pack(_encoder.encode(batch))


def write(path: Path, contents: Iterable[Batch | Noted], header: Header = HEADER) -> End:
    """A log of these."""
    with path.open("wb") as file:
        writer = LogWriter(file, header)
        for one in contents:
            if isinstance(one, Batch):
                writer.batch(one, packed(one))
            else:
                writer.note(one)
        return writer.end()


def noted(session: str, event: str, at_ms: int, **says: str) -> Noted:
    """What a log keeps of a note."""
    said = {
        "node": "n0", "region": "eu-central", "admitted_by": "ticket", "tenant": "", "language":
        "en", "policy": "anywhere", "kind": "recognition",
    } | says  # fmt: skip
    return Noted(session, "ended" if event == "ended" else "started", at_ms, **said)
