"""What goes into decisions, and what comes out, as one numbered sequence of small records.

A record is an array whose first entry is its tag; a batch is what travels. Reports repeat most of
themselves every second, so only the first of a node is written whole, then its readings.
"""

import hashlib
import zlib

import msgspec

from control_plane.fleet.state import FleetState
from control_plane.placement.ask import PlacementAsk
from control_plane.placement.decision import Decision, Outcome
from shared.capacity import CapacityReport, KindRoom
from shared.errors import InvalidMessage
from shared.regions.model import World

MOST_BYTES = 64 * 2**20
"""A batch that unpacks into more is none of ours."""
FORMAT = 2
"""Rises with whatever makes what was recorded before come out otherwise: the numbers of `Reason`
are part of it."""


class _Record(msgspec.Struct, frozen=True, array_like=True):
    """One input or outcome."""


class Snapshot(_Record, frozen=True, tag="snapshot"):
    """The fleet as it is: whoever reads can begin here."""

    state: FleetState


class Used(_Record, frozen=True, tag="used"):
    """Another world, and with it other policies."""

    world: World


class Reported(_Record, frozen=True, tag="reported"):
    """A report, word for word."""

    now_s: float
    report: CapacityReport


class Reading(_Record, frozen=True, tag="reading"):
    """A report that differs from the node's last in these alone."""

    now_s: float
    node: str
    seq: int
    at_ms: int
    rooms: tuple[tuple[int, int], ...]
    """(held, fits) in the order of the kinds."""
    reserved: int
    step_p50_ms: float
    step_p95_ms: float
    queue: int


class HeldBack(_Record, frozen=True, tag="held"):
    """A seat is asked for; holds are counted by the fleet."""

    now_s: float
    node: str
    kind: str


class Granted(_Record, frozen=True, tag="granted"):
    """The node holds it."""

    hold: int
    taken: int


class Refused(_Record, frozen=True, tag="refused"):
    """The node does not."""

    hold: int
    code: str | None


class Silent(_Record, frozen=True, tag="silent"):
    """The node did not answer."""

    hold: int


class Released(_Record, frozen=True, tag="released"):
    """The hold is over."""

    hold: int


class Reached(_Record, frozen=True, tag="reached"):
    """Whether a node is reached where callers come in, where that is new."""

    now_s: float
    node: str
    reachable: bool


class Looked(_Record, frozen=True, tag="looked"):
    """A view with a number of its own was taken."""

    now_s: float
    view: int
    digest: str
    """Of every node's state and numbers, so that an input that was changed shows at once."""


class Decided(_Record, frozen=True, tag="decided"):
    """A decision on the view that was taken last."""

    ask: PlacementAsk
    policy: str
    policy_version: str
    view: int
    outcome: Outcome
    home: str | None
    codes: tuple[str, ...]
    candidates: tuple[str, ...]
    """Names, the winner first."""
    digest: str
    """Of every node's reason, and of the ranking with the class of each."""


class Tried(_Record, frozen=True, tag="tried"):
    """What came of asking a decision's candidates."""

    decision: str
    story: tuple[str, ...]
    """`node: code`, in order."""
    session: str | None


Record = (
    Snapshot | Used | Reported | Reading | HeldBack | Granted | Refused | Silent | Released
    | Reached | Looked | Decided | Tried
)  # fmt: skip


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Records of one control plane that follow each other."""

    format: int
    plane: str
    start: str
    """Of the control plane: records are numbered from 1 in every one of its starts."""
    first: int
    """The number of the first record. A gap before it was dropped, or is not here."""
    dropped: int
    """Records that the control plane ever dropped because nobody took them in time."""
    records: tuple[Record, ...]


def decided(decision: Decision) -> Decided:
    """A decision as it is recorded, and as one that is made again is compared."""
    return Decided(
        ask=decision.ask,
        policy=decision.policy.name,
        policy_version=decision.policy.version,
        view=decision.view,
        outcome=decision.outcome,
        home=decision.home,
        codes=decision.codes,
        candidates=decision.tries,
        digest=_digest(decision),
    )


def _digest(decision: Decision) -> str:
    digest = hashlib.blake2b(digest_size=8)
    digest.update(decision.reasons.tobytes())
    ranked = decision.ranked
    digest.update(ranked.nodes.astype("<i4").tobytes())
    digest.update(ranked.classes.tobytes())
    return digest.hexdigest()


def reading(report: CapacityReport, now_s: float) -> Reading:
    """The record of a report that has the same words as the last of its node."""
    return Reading(
        now_s,
        report.node,
        report.seq,
        report.at_ms,
        tuple((room.held, room.fits) for room in report.kinds.values()),
        report.reserved,
        report.step_p50_ms,
        report.step_p95_ms,
        report.queue,
    )


def whole(record: Reported | Reading, last: CapacityReport | None) -> CapacityReport:
    """The report again. Raises InvalidMessage for a reading without a report before it."""
    if isinstance(record, Reported):
        return record.report
    if last is None or len(last.kinds) != len(record.rooms):
        raise InvalidMessage(
            "a reading without its report", field="node", value=record.node,
            remedy="read on from a snapshot",
        )  # fmt: skip
    rooms = zip(last.kinds, record.rooms, strict=True)
    return msgspec.structs.replace(
        last,
        seq=record.seq,
        at_ms=record.at_ms,
        kinds={kind: KindRoom(held, fits) for kind, (held, fits) in rooms},
        reserved=record.reserved,
        step_p50_ms=record.step_p50_ms,
        step_p95_ms=record.step_p95_ms,
        queue=record.queue,
    )


def pack(batch: bytes) -> bytes:
    """A batch as it travels: compressed, because readings look alike."""
    return zlib.compress(batch, 1)


def read_batch(data: bytes) -> Batch:
    """A batch that came. Raises InvalidMessage for anything else."""
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data, MOST_BYTES)
        batch = msgspec.msgpack.decode(plain, type=Batch)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_batch(str(error)) from error
    if unpacker.unconsumed_tail or not unpacker.eof or batch.format != FORMAT:
        raise _no_batch(f"format {batch.format}")
    return batch


def _no_batch(reason: str) -> InvalidMessage:
    return InvalidMessage(
        f"not a batch of records: {reason}", field="batch",
        remedy="read what a control plane of this version recorded",
    )  # fmt: skip
