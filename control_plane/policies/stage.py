"""The fleet as it was recorded, under the proposed world: one start of a control plane. Pure.

It is the very `Fleet` that a control plane has, told what the recorded one was told. What was
decided then is not decided again here; who simulates does.
"""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from control_plane.fleet import Fleet, FleetView, Hold
from control_plane.fleet.state import FleetState
from control_plane.placement import record as records
from control_plane.placement.record import Batch, Record
from shared.capacity import CapacityReport
from shared.errors import VoiceError
from shared.policy import Policies, compile_policies
from shared.regions.model import World

_REMEMBERED = 10_000
Hear = Callable[["Stage", "records.Decided | records.Tried"], None]


class Worlds:
    """Every world that was decided by, compiled: by version."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[World, Policies]] = {}

    def learn(self, world: World) -> None:
        """A world that was in force."""
        if world.version not in self._known:
            self._known[world.version] = (world, compile_policies(world))

    def of(self, version: str) -> tuple[World, Policies] | None:
        """None where the records do not say."""
        return self._known.get(version)


class Stage:
    """One start of a control plane.

    Args:
        world: the proposed one.
        worlds: told of those that were in force.
        hear: called with every decision and what came of it, once the fleet is known.
        restarted: called with a node whose sessions are gone.
        counts: whether a decision of a moment, in milliseconds, is one to be missed.
    """

    def __init__(
        self,
        world: World,
        worlds: Worlds,
        hear: Hear,
        restarted: Callable[[str], None],
        counts: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self._world, self._worlds = world, worlds
        self._hear, self._restarted, self._counts = hear, restarted, counts
        self._fleet: Fleet | None = None
        self._reports: dict[str, CapacityReport] = {}
        self._holds: OrderedDict[int, Hold] = OrderedDict()
        self._asked_for = 0
        self._now_s = 0.0
        self._due: int | None = None
        self._spills = _spills(world)
        self.gaps = self.skipped = 0
        """Places where batches are missing; decisions before the first snapshot and behind a gap,
        up to the next."""

    def read(self, batch: Batch) -> None:
        """Goes on with what follows."""
        if self._due is not None and batch.first != self._due:
            self.gaps += 1
            self._fleet = None
        self._due = batch.first + len(batch.records)
        for record in batch.records:
            self._one(record)

    def view(self) -> FleetView:
        """The fleet now. Only where something was heard."""
        assert self._fleet is not None
        return self._fleet.view(self._now_s)

    def seats_of(self, node: str) -> int:
        """How many sessions a node carries at most; 1 where that is not known."""
        report = self._reports.get(node)
        return max(1, report.limit) if report is not None else 1

    def region_of(self, node: str) -> str | None:
        """Where a node stands, as it said itself."""
        report = self._reports.get(node)
        return None if report is None else report.region

    def _one(self, record: Record) -> None:
        if isinstance(record, records.Snapshot):
            self._snapshot(record.state)
        elif self._fleet is None:
            self.skipped += isinstance(record, records.Decided) and self._counts(record.ask.at_ms)
        elif isinstance(record, records.Reading | records.Reported):
            self._reported(self._fleet, record)
        elif isinstance(record, records.Decided | records.Tried):
            self._hear(self, record)
        else:
            self._input(self._fleet, record)

    def _snapshot(self, state: FleetState) -> None:
        self._worlds.learn(state.world)
        if self._fleet is not None:
            return
        regions = self._world.regions
        members = [one for one in state.members if one.report.region in regions]
        own = msgspec.structs.replace(state, world=self._world, members=members)
        self._fleet, self._now_s = Fleet.restored(own), state.now_s
        self._reports = {one.report.node: one.report for one in state.members}
        self._holds = OrderedDict((hold.number, hold) for hold in self._fleet.holds())
        self._asked_for = state.holds

    def _reported(self, fleet: Fleet, record: records.Reported | records.Reading) -> None:
        node = record.report.node if isinstance(record, records.Reported) else record.node
        before = self._reports.get(node)
        try:
            report = records.whole(record, before)
        except VoiceError:  # of a node whose first report is not here
            return
        if before is not None and (before.boot != report.boot or report.goodbye):
            self._restarted(node)
        self._reports[node] = report
        self._now_s = max(self._now_s, record.now_s)
        fleet.checked(report, record.now_s)

    def _input(self, fleet: Fleet, record: Record) -> None:
        match record:
            case records.Used(world):
                self._worlds.learn(world)
            case records.HeldBack(now_s, node, kind):
                self._held_back(fleet, node, kind, now_s)
            case records.Reached(now_s, node, reachable):
                fleet.reached(node, now_s, reachable=reachable)
            case records.Looked(now_s):
                self._now_s = max(self._now_s, now_s)
                if self._spills:
                    fleet.view(now_s)
            case _:
                self._answer(fleet, record)

    def _answer(self, fleet: Fleet, record: Record) -> None:
        """What a node said when it was asked for a seat."""
        match record:
            case records.Granted(number, taken):
                if hold := self._holds.get(number):
                    fleet.granted(hold, taken)
            case records.Refused(number, code):
                if hold := self._holds.get(number):
                    fleet.refused(hold, code)
            case records.Silent(number):
                if hold := self._holds.get(number):
                    fleet.silent(hold)
            case records.Released(number):
                if hold := self._holds.get(number):
                    fleet.released(hold)

    def _held_back(self, fleet: Fleet, node: str, kind: str, now_s: float) -> None:
        """Numbered as they were recorded: here, nodes of regions that are gone hold none."""
        self._asked_for += 1
        self._now_s = max(self._now_s, now_s)
        hold = fleet.held_back(node, kind, now_s)
        if hold is not None:
            self._holds[self._asked_for] = hold
            if len(self._holds) > _REMEMBERED:
                self._holds.popitem(last=False)


def _spills(world: World) -> bool:
    """Whether the load of regions decides anything. What is said of it depends on every look."""
    overflows = [one.overflow for one in world.rules.values()]
    overflows += [one.overflow for one in world.policies.values()]
    return any(one is not None and one.from_load < 1.0 for one in overflows)
