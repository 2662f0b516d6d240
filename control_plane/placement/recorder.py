"""Takes down what goes into a fleet and its decisions; keeps it until it is taken away."""

from collections import deque
from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from control_plane.fleet.state import FleetState
from control_plane.fleet.view import FleetView
from control_plane.fleet.witness import Witness
from control_plane.fleet.words import Words, words_of
from control_plane.placement import record as records
from control_plane.placement.decision import Decision
from shared.capacity import CapacityReport
from shared.regions.model import World

SNAPSHOT_EVERY_S = 300.0
"""Whoever reads from the middle waits so long for a place to begin. Oftener costs bytes: 1,000
nodes are 300 KB of snapshot before compression."""
KEPT_BYTES = 32 * 2**20
BATCH_BYTES = 128 * 2**10
"""Before compression, which holds up whoever takes the batch for about a millisecond."""
_LAST_REPORTS = 20_000


class Packed(NamedTuple):
    """A batch as it travels."""

    id: str
    """No other batch has it: what is stored twice is stored once."""
    data: bytes


class Recorder(Witness):
    """Give it to a fleet as its witness, and tell it of decisions.

    It never blocks and never raises. Where nobody takes its records away in time it drops what
    comes, counts it, and asks for a snapshot to go on from: a record without those before it is
    of no use.

    Args:
        plane: this control plane.
        start: this start of it.
        kept_bytes: of records that nobody has taken away yet.
    """

    def __init__(self, plane: str, start: str, kept_bytes: int = KEPT_BYTES) -> None:
        self._plane, self._start, self._most = plane, start, kept_bytes
        self._kept: deque[bytes] = deque()
        self._bytes = 0
        self._first = self._next = 1
        self.dropped = 0
        """Records that were not taken away in time, ever."""
        self._broken = False
        self._snapshot_s = float("-inf")
        self._words: dict[str, Words] = {}  # of the last report of each node
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_plain)

    @property
    def waiting(self) -> int:
        """Records to be taken away."""
        return len(self._kept)

    def wants_snapshot(self, now_s: float) -> bool:
        """Whether it is time for `snapshot(fleet.state())`."""
        if self._broken:
            return not self._kept
        return now_s - self._snapshot_s >= SNAPSHOT_EVERY_S

    def take(self) -> Packed | None:
        """The next batch, removed from here; None where there is none."""
        if not self._kept:
            return None
        taken = [self._kept.popleft()]
        size = len(taken[0])
        while self._kept and size + len(self._kept[0]) <= BATCH_BYTES:
            taken.append(self._kept.popleft())
            size += len(taken[-1])
        first, self._first = self._first, self._first + len(taken)
        self._bytes -= size
        raw = [msgspec.Raw(one) for one in taken]
        batch = (records.FORMAT, self._plane, self._start, first, self.dropped, raw)
        data = records.pack(self._encoder.encode(batch))
        return Packed(f"{self._plane}-{self._start}-{first}", data)

    # --- decisions ---

    def decided(self, decision: Decision) -> None:
        """A decision was made, on the view that was taken last."""
        self._add(records.decided(decision))

    def tried(self, decision: str, story: Sequence[str], session: str | None) -> None:
        """What came of it."""
        self._add(records.Tried(decision, tuple(story), session))

    # --- the fleet's inputs ---

    def snapshot(self, state: FleetState) -> None:
        """Whoever reads can begin here."""
        if self._broken and not self._kept:  # what is kept and what comes now may not touch
            self._broken, self._first = False, self._next
        self._snapshot_s = state.now_s
        self._words = {one.report.node: words_of(one.report) for one in state.members}
        self._add(records.Snapshot(state))

    def used(self, world: World) -> None:
        """Another world."""
        self._add(records.Used(world))

    def reported(self, report: CapacityReport, words: Words, now_s: float) -> None:
        """A report, or only what is new in it."""
        node, before = report.node, self._words.get(report.node)
        alike = words is before or words == before
        self._add(records.reading(report, now_s) if alike else records.Reported(now_s, report))
        if not alike and (before is not None or len(self._words) < _LAST_REPORTS):
            self._words[node] = words

    def held_back(self, node: str, kind: str, now_s: float) -> None:
        """A seat is asked for."""
        self._add(records.HeldBack(now_s, node, kind))

    def granted(self, hold: int, taken: int) -> None:
        """It is held."""
        self._add(records.Granted(hold, taken))

    def refused(self, hold: int, code: str | None) -> None:
        """It is not."""
        self._add(records.Refused(hold, code))

    def silent(self, hold: int) -> None:
        """Nobody answered."""
        self._add(records.Silent(hold))

    def released(self, hold: int) -> None:
        """It is over."""
        self._add(records.Released(hold))

    def reached(self, node: str, now_s: float, *, reachable: bool) -> None:
        """A node is reached, or not any more."""
        self._add(records.Reached(now_s, node, reachable))

    def looked(self, view: FleetView, now_s: float) -> None:
        """A new view was taken."""
        self._add(records.Looked(now_s, view.number, view.digest))

    def _add(self, record: records.Record) -> None:
        self._next += 1
        data = b"" if self._broken else self._encoder.encode(record)
        if self._broken or self._bytes + len(data) > self._most:
            self._broken = True
            self.dropped += 1
            return
        self._kept.append(data)
        self._bytes += len(data)


def _plain(value: object) -> object:
    """A world's mappings are read-only."""
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be recorded")
