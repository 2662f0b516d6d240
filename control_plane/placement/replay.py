"""Goes through records again and compares: would the same be decided today?

Fleet and `decide` are the very functions that decided. So a difference means that the record was
changed, that they were, or that something went into a decision that was not taken down.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from control_plane.fleet import Fleet, FleetView, Hold
from control_plane.fleet.state import FleetState
from control_plane.placement import record as records
from control_plane.placement.decide import decide
from control_plane.placement.record import Batch, Record
from shared.capacity import CapacityReport
from shared.errors import VoiceError
from shared.policy import Policies, compile_policies
from shared.regions.model import World

Key = TypeVar("Key")
Value = TypeVar("Value")
_REMEMBERED = 10_000  # decisions whose attempts may still come, worlds, holds


class Difference(msgspec.Struct, frozen=True):
    """Where what was recorded and what comes out now part."""

    plane: str
    number: int
    """Of the record."""
    decision: str | None
    """Its id, where it is about one."""
    field: str
    recorded: str
    derived: str


@dataclass(slots=True)
class Replayed:
    """What going through records again has shown."""

    records: int = 0
    decisions: int = 0
    """Made again and compared."""
    skipped: int = 0
    """Records before the first snapshot, and between a gap and the next one."""
    gaps: list[tuple[str, int, int]] = field(default_factory=list)
    """(control plane, the number that was due, the number that came)."""
    differences: list[Difference] = field(default_factory=list)


def replay(batches: Iterable[Batch]) -> Replayed:
    """Goes through batches of any control planes, those of each start in their order."""
    result = Replayed()
    starts: dict[tuple[str, str], Replay] = {}
    for batch in batches:
        start = (batch.plane, batch.start)
        if start not in starts:
            starts[start] = Replay(batch.plane, result)
        starts[start].read(batch)
    return result


class Replay:
    """The records of one start of a control plane, again.

    Args:
        plane: its name.
        result: what is found goes there.
    """

    def __init__(self, plane: str, result: Replayed) -> None:
        self._plane, self._result = plane, result
        self._due: int | None = None
        self._number = 0
        self._fleet: Fleet | None = None  # None: wait for a snapshot
        self._view: FleetView | None = None
        self._reports: dict[str, CapacityReport] = {}
        self._holds: OrderedDict[int, Hold] = OrderedDict()
        self._policies: OrderedDict[str, Policies] = OrderedDict()
        self._candidates: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def read(self, batch: Batch) -> None:
        """Goes on with what follows."""
        if self._due is not None and batch.first != self._due:
            self._result.gaps.append((self._plane, self._due, batch.first))
            self._fleet = None
        for number, record in enumerate(batch.records, start=batch.first):
            self._number = number
            self._result.records += 1
            self._one(record)
        self._due = batch.first + len(batch.records)

    def _one(self, record: Record) -> None:
        if isinstance(record, records.Snapshot):
            self._snapshot(record)
        elif self._fleet is None:
            self._result.skipped += 1
        elif isinstance(record, records.Decided):
            self._decided(record)
        elif isinstance(record, records.Tried):
            self._tried(record)
        else:
            self._input(self._fleet, record)

    def _snapshot(self, record: records.Snapshot) -> None:
        state = record.state
        if self._fleet is not None:
            if state.view:
                self._fleet.view(state.now_s)
            self._same(None, "state", _plain(state), _plain(self._fleet.state()))
        self._fleet = Fleet.restored(state)
        self._view = self._fleet.view(state.now_s) if state.view else None
        self._reports = {one.report.node: one.report for one in state.members}
        self._holds = OrderedDict((h.number, h) for h in self._fleet.holds())
        self._learn(state.world)

    def _input(self, fleet: Fleet, record: Record) -> None:
        match record:
            case records.Used(world):
                fleet.use(world)
                self._learn(world)
            case records.Reported() | records.Reading():
                self._reported(fleet, record)
            case records.HeldBack(now_s, node, kind):
                if (hold := fleet.held_back(node, kind, now_s)) is not None:
                    _keep(self._holds, hold.number, hold)
            case records.Reached(now_s, node, reachable):
                fleet.reached(node, now_s, reachable=reachable)
            case records.Looked(now_s, number, digest):
                self._view = fleet.view(now_s)
                self._same(None, "view", (number, digest), (self._view.number, self._view.digest))
            case _:
                self._answer(fleet, record)

    def _reported(self, fleet: Fleet, record: records.Reported | records.Reading) -> None:
        node = record.report.node if isinstance(record, records.Reported) else record.node
        try:
            report = records.whole(record, self._reports.get(node))
        except VoiceError as error:
            self._differ(None, "report", node, error.message)
            return
        self._reports[node] = report
        fleet.reported(report, record.now_s)

    def _answer(self, fleet: Fleet, record: Record) -> None:
        match record:
            case records.Granted(number, taken):
                if (hold := self._holds.get(number)) is not None:
                    fleet.granted(hold, taken)
            case records.Refused(number, code):
                if (hold := self._holds.get(number)) is not None:
                    fleet.refused(hold, code)
            case records.Silent(number):
                if (hold := self._holds.get(number)) is not None:
                    fleet.silent(hold)
            case records.Released(number):
                if (hold := self._holds.get(number)) is not None:
                    fleet.released(hold)

    def _decided(self, record: records.Decided) -> None:
        self._result.decisions += 1
        policies = self._policies.get(record.policy_version)
        if policies is None or record.policy not in policies.by_name or self._view is None:
            self._differ(record.ask.id, "policy", f"{record.policy} {record.policy_version}", "")
            return
        ask = record.ask
        try:
            policy = policies.effective(record.policy, ask.facts, ask.at_ms)
            decision = decide(self._view, ask, policy)
        except (ValueError, VoiceError) as error:
            self._differ(ask.id, "ask", "decided", str(error))
            return
        derived = records.decided(decision)
        for name in records.Decided.__struct_fields__:
            self._same(record.ask.id, name, getattr(record, name), getattr(derived, name))
        _keep(self._candidates, record.ask.id, derived.candidates)

    def _tried(self, record: records.Tried) -> None:
        """Only the decision's candidates may have been asked, and in its order."""
        candidates = self._candidates.get(record.decision)
        if candidates is None:
            return
        asked = tuple(told.partition(":")[0] for told in record.story)
        self._same(record.decision, "story", asked, candidates[: len(asked)])

    def _learn(self, world: World) -> None:
        _keep(self._policies, world.version, compile_policies(world))

    def _same(self, decision: str | None, name: str, recorded: object, derived: object) -> None:
        if recorded != derived:
            self._differ(decision, name, repr(recorded), repr(derived))

    def _differ(self, decision: str | None, name: str, recorded: str, derived: str) -> None:
        self._result.differences.append(
            Difference(self._plane, self._number, decision, name, recorded, derived)
        )


def _plain(state: FleetState) -> str:
    return msgspec.json.encode(state, order="deterministic").decode()


def _keep(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    if len(kept) > _REMEMBERED:
        kept.popitem(last=False)
