"""The columns behind a view, written report by report and copied when a view is taken."""

from dataclasses import dataclass, field

import numpy as np

from control_plane.fleet.boots import Boots
from control_plane.fleet.holds import Holds, room_left
from control_plane.fleet.roster import I32, U8, Entry, offer_of
from control_plane.fleet.state import Since
from control_plane.fleet.states import TIERS, State
from control_plane.fleet.view import F64
from shared.capacity import DEAD_S, STALE_S, CapacityReport

FORGET_S = 300.0
"""A node that was not heard of for so long is no longer shown to operators either."""


@dataclass(slots=True)
class Member:
    """One node as the tracker holds it."""

    report: CapacityReport
    entry: Entry
    boots: Boots
    holds: Holds
    skew_s: float = 0.0
    since: Since = field(default_factory=Since)


def entry_of(report: CapacityReport) -> Entry:
    """What of a report the roster lists."""
    return Entry(report.node, report.region, report.url, report.boot, offer_of(report))


class Columns:
    """Room for so many nodes and kinds; everything starts as dead and full."""

    def __init__(self, kinds: tuple[str, ...], nodes: int) -> None:
        self.kinds = kinds
        self.next_s = float("inf")
        """Before this moment no state changes by the passing of time alone."""
        self.heard_s: F64 = np.full(nodes, -np.inf)
        self.conflict_until_s: F64 = np.full(nodes, -np.inf)
        self.said: U8 = np.zeros(nodes, np.uint8)
        self.tier: U8 = np.zeros(nodes, np.uint8)
        self.fits: I32 = np.zeros((len(kinds), nodes), np.int32)
        self.held: I32 = np.zeros(nodes, np.int32)
        self.limit: I32 = np.zeros(nodes, np.int32)
        self.step_p95_ms: F64 = np.zeros(nodes)
        self.queue: I32 = np.zeros(nodes, np.int32)

    def write(self, at: int, member: Member) -> bool:
        """Puts a node's numbers in; says whether any that decisions depend on changed."""
        report = member.report
        heard_s, conflict_s = member.boots.heard_s, member.boots.conflict_until_s
        if conflict_s != self.conflict_until_s[at]:
            self.conflict_until_s[at] = conflict_s
            self.next_s = min(self.next_s, conflict_s)
        self.heard_s[at] = heard_s
        self.next_s = min(self.next_s, heard_s + STALE_S)
        left = _left(member)
        column = [left.get(kind, 0) for kind in self.kinds]
        changed = bool(self.fits[:, at].tolist() != column)
        self.fits[:, at] = column
        for array, value in (
            (self.said, _said(member)),
            (self.tier, TIERS.index(report.tier)),
            (self.held, report.held + report.reserved),
            (self.limit, report.limit),
            (self.step_p95_ms, report.step_p95_ms),
            (self.queue, report.queue),
        ):
            if array[at] != value:
                array[at] = value
                changed = True
        return changed

    def states(self, now_s: float) -> U8:
        """The state of every node now."""
        state = self.said.copy()
        state[now_s > self.heard_s + STALE_S] = State.STALE
        state[self.conflict_until_s > now_s] = State.CONFLICT
        state[now_s > self.heard_s + DEAD_S] = State.DEAD
        return state

    def look_ahead(self, now_s: float) -> None:
        """Works out `next_s` anew; only needed once it has passed."""
        heard_s = self.heard_s
        moments = np.concatenate(
            (heard_s + STALE_S, heard_s + DEAD_S, heard_s + FORGET_S, self.conflict_until_s)
        )
        later = moments[moments >= now_s]
        self.next_s = float(later.min()) if later.size else float("inf")

    def any_forgotten(self, now_s: float) -> bool:
        """Whether a node has been dead for so long that it should go."""
        return bool(np.any(now_s > self.heard_s + FORGET_S))


def _said(member: Member) -> State:
    report, since = member.report, member.since
    if since.silent:
        return State.STALE
    if not report.healthy:
        return State.UNWELL
    return State.DRAINING if report.draining or since.draining else State.READY


def _left(member: Member) -> dict[str, int]:
    fits = {kind: room.fits for kind, room in member.report.kinds.items()}
    if member.holds.waiting:
        fits = room_left(fits, member.holds.waiting)
    for kind in member.since.full:
        fits[kind] = 0
    return fits
