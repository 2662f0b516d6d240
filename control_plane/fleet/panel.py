"""From members to views: numbers a view anew only where something that matters changed."""

from collections.abc import Mapping

import numpy as np

from control_plane.fleet import loads
from control_plane.fleet.atlas import Atlas
from control_plane.fleet.columns import Columns, Judged, Member
from control_plane.fleet.loads import Open
from control_plane.fleet.roster import Roster, make_roster
from control_plane.fleet.states import State
from control_plane.fleet.view import F64, FleetView, standing_of
from shared.capacity import STALE_S

_OPEN = standing_of(np.array(State.READY, np.uint8), np.array(0, np.uint8))


class Panel:
    """The latest view, and the columns that the next one is copied from.

    Args:
        began_s: since when reports are listened to; a view is settled 3 s later.
        number: of the last view, where there was one.
        said: of the load of regions then.
    """

    def __init__(self, began_s: float, number: int = 0, said: loads.Loads | None = None) -> None:
        self.number = number
        self._settled_s = began_s + STALE_S
        self._roster: Roster | None = None
        self._columns = Columns((), 0)
        self._judged: Judged | None = None
        self._view: FleetView | None = None
        self._said: loads.Loads = said or {}  # of another roster than the view's
        self._changed = True

    def enlist(self) -> None:
        """Nodes came, went, moved or offer something else: the next view gets a new roster."""
        self._roster = None

    def loads(self) -> dict[str, dict[str, float]]:
        """What is said of the load of regions, by kind and name."""
        view = self._view
        return {} if view is None else loads.by_name(view.roster, view.load)

    def write(self, member: Member, now_s: float) -> bool:
        """Puts a member's numbers in; says whether the next view will differ."""
        if self._roster is None:
            return True
        columns, at = self._columns, self._roster.index[member.entry.name]
        heard_s, conflict_s = columns.times[at]
        was_stale = now_s > heard_s + STALE_S
        changed = columns.write(at, member)
        if was_stale or conflict_s != member.boots.conflict_until_s:
            columns.judged, changed = False, True
        self._changed |= changed
        return changed

    def write_room(self, member: Member) -> None:
        """Puts in what room a member has left, where only its holds changed."""
        if self._roster is not None:
            at = self._roster.index[member.entry.name]
            self._changed |= self._columns.write_room(at, member)

    def due(self, now_s: float) -> bool:
        """Whether the last view may not hold any more."""
        return self._roster is None or self._changed or self._time_is_up(now_s)

    def forgets(self, now_s: float) -> bool:
        """Whether a node has been dead for so long that it should go before the next view."""
        return self._time_is_up(now_s) and self._columns.any_forgotten(now_s)

    def _time_is_up(self, now_s: float) -> bool:
        unsettled = self._view is None or not self._view.settled
        return now_s >= self._columns.next_s or (unsettled and now_s >= self._settled_s)

    def view(self, atlas: Atlas, members: Mapping[str, Member], now_s: float) -> FleetView:
        """The members now. The same object as before where nothing that matters changed."""
        if self._view is not None and not self.due(now_s):
            return self._view
        roster = self._roster or self._enlisted(atlas, members)
        judged, before = self._judge(now_s), self._judged
        settled = now_s >= self._settled_s
        if self._view is None or self._changed or settled != self._view.settled or (
            before is None or not judged.same(before)
        ):  # fmt: skip
            self.number += 1
            self._view = self._make(roster, judged, settled=settled)
        self._judged, self._changed = judged, False
        return self._view

    def _judge(self, now_s: float) -> Judged:
        columns, time_is_up = self._columns, now_s >= self._columns.next_s
        if self._judged is not None and columns.judged and not time_is_up:
            return self._judged
        if time_is_up:
            columns.look_ahead(now_s)
        return columns.judge(now_s)

    def _enlisted(self, atlas: Atlas, members: Mapping[str, Member]) -> Roster:
        if self._view is not None:
            self._said = self.loads()
        roster = make_roster(atlas, [member.entry for member in members.values()])
        self._columns, self._judged = Columns(roster.kinds, len(roster.names)), None
        for at, name in enumerate(roster.names):
            self._columns.write(at, members[name])
        self._roster, self._changed = roster, True
        return roster

    def _make(self, roster: Roster, judged: Judged, *, settled: bool) -> FleetView:
        frozen = self._columns.frozen
        held, fits, opened = frozen("held"), frozen("fits"), self._opened_by(roster, judged)
        return FleetView(
            number=self.number,
            roster=roster,
            settled=settled,
            state=judged.state,
            tier=frozen("tier"),
            fits=fits,
            held=held,
            limit=frozen("limit"),
            step_p95_ms=frozen("step_p95_ms"),
            queue=frozen("queue"),
            history_ms=judged.history_ms,
            share=judged.share,
            load=self._load(roster, loads.regions_load(roster, opened, held, fits)),
            standing=judged.standing,
            opened=opened,
            ramping=judged.ramping,
            any_dead=judged.any_dead,
        )

    def _opened_by(self, roster: Roster, judged: Judged) -> tuple[Open, ...]:
        """Worked out again only where nodes began or ceased to take sessions."""
        view = self._view
        if view is None or view.roster is not roster or view.standing is not judged.standing:
            return loads.open_of(roster, judged.standing == _OPEN)
        return view.opened

    def _load(self, roster: Roster, load: F64) -> F64:
        view = self._view
        if view is not None and view.roster is roster:
            return loads.with_play(view.load, load)
        return loads.with_play(loads.known(roster, self._said, load), load)
