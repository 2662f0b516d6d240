"""The columns behind a view, written report by report and copied when a view is taken."""

from dataclasses import dataclass

import numpy as np

from control_plane.fleet.boots import Boots
from control_plane.fleet.holds import Holds, room_left
from control_plane.fleet.roster import I32, U8, Entry, offer_of
from control_plane.fleet.states import TIERS, State
from control_plane.fleet.view import F64
from shared.capacity import DEAD_S, STALE_S, CapacityReport


@dataclass(slots=True)
class Member:
    """One node as the tracker holds it."""

    report: CapacityReport
    entry: Entry
    boots: Boots
    holds: Holds
    skew_s: float = 0.0
    silent: bool = False
    """It did not answer when it was asked for a seat, and has not reported since."""


def entry_of(report: CapacityReport) -> Entry:
    """What of a report the roster lists."""
    return Entry(report.node, report.region, report.url, report.boot, offer_of(report))


class Columns:
    """Room for so many nodes and kinds; everything starts as dead and full."""

    def __init__(self, kinds: tuple[str, ...], nodes: int) -> None:
        self.kinds = kinds
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
        self.heard_s[at] = member.boots.heard_s
        self.conflict_until_s[at] = member.boots.conflict_until_s
        fits = {kind: room.fits for kind, room in report.kinds.items()}
        left = room_left(fits, member.holds.waiting) if member.holds.waiting else fits
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

    def next_change_s(self, now_s: float) -> float:
        """Before this moment no state changes by the passing of time alone."""
        moments = np.concatenate(
            (self.heard_s + STALE_S, self.heard_s + DEAD_S, self.conflict_until_s)
        )
        later = moments[moments >= now_s]
        return float(later.min()) if later.size else float("inf")


def _said(member: Member) -> State:
    report = member.report
    if member.silent:
        return State.STALE
    if not report.healthy:
        return State.UNWELL
    return State.DRAINING if report.draining else State.READY
