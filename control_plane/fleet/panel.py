"""From members to views: numbers a view anew only where something that matters changed."""

from collections.abc import Mapping

import numpy as np

from control_plane.fleet.atlas import Atlas
from control_plane.fleet.columns import Columns, Member
from control_plane.fleet.roster import Roster, make_roster
from control_plane.fleet.view import FleetView
from shared.capacity import STALE_S


class Panel:
    """The latest view, and the columns that the next one is copied from.

    Args:
        began_s: since when reports are listened to; a view is settled 3 s later.
        number: of the last view, where there was one.
    """

    def __init__(self, began_s: float, number: int = 0) -> None:
        self.number = number
        self._settled_s = began_s + STALE_S
        self._roster: Roster | None = None
        self._columns = Columns((), 0)
        self._view: FleetView | None = None
        self._changed = True

    def enlist(self) -> None:
        """Nodes came, went, moved or offer something else: the next view gets a new roster."""
        self._roster = None

    def write(self, member: Member, now_s: float) -> bool:
        """Puts a member's numbers in; says whether the next view will differ."""
        if self._roster is None:
            return True
        at = self._roster.index[member.entry.name]
        was_stale = bool(now_s > self._columns.heard_s[at] + STALE_S)
        conflict_s = float(self._columns.conflict_until_s[at])
        changed = self._columns.write(at, member)
        changed |= was_stale or conflict_s != member.boots.conflict_until_s
        self._changed |= changed
        return changed

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
        view = self._copy(roster, now_s)
        if now_s >= self._columns.next_s:
            self._columns.look_ahead(now_s)
        if self._view is None or self._changed or not _same(self._view, view):
            self._view, self.number = view, view.number
        self._changed = False
        return self._view

    def _enlisted(self, atlas: Atlas, members: Mapping[str, Member]) -> Roster:
        roster = make_roster(atlas, [member.entry for member in members.values()])
        self._columns = Columns(roster.kinds, len(roster.names))
        for at, name in enumerate(roster.names):
            self._columns.write(at, members[name])
        self._roster, self._changed = roster, True
        return roster

    def _copy(self, roster: Roster, now_s: float) -> FleetView:
        columns = self._columns
        return FleetView(
            number=self.number + 1,
            roster=roster,
            settled=now_s >= self._settled_s,
            state=columns.states(now_s),
            tier=columns.tier.copy(),
            fits=columns.fits.copy(),
            held=columns.held.copy(),
            limit=columns.limit.copy(),
            step_p95_ms=columns.step_p95_ms.copy(),
            queue=columns.queue.copy(),
        )


def _same(before: FleetView, after: FleetView) -> bool:
    """Of two views with nothing written between them."""
    return before.settled == after.settled and np.array_equal(before.state, after.state)
