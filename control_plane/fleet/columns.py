"""The columns behind a view, written report by report; a view shares those that did not change."""

from dataclasses import dataclass, field
from math import inf
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from control_plane.fleet import past
from control_plane.fleet.boots import Boots
from control_plane.fleet.holds import Holds, room_left
from control_plane.fleet.past import MOST_LAPSES, Past
from control_plane.fleet.roster import I32, U8, Entry, offer_of
from control_plane.fleet.state import Since
from control_plane.fleet.states import TIERS, State
from control_plane.fleet.view import F64, standing_of
from control_plane.fleet.words import Words, words_of
from shared.capacity import DEAD_S, STALE_S, CapacityReport

FORGET_S = 300.0
"""A node that was not heard of for so long is no longer shown to operators either."""

_NUMBERS = ("said", "tier", "held", "limit", "step_p95_ms", "queue")
_UNKNOWN = (None,) * len(_NUMBERS)
_READY, _DRAINING, _UNWELL = State.READY, State.DRAINING, State.UNWELL
_STALE, _UNREACHABLE = State.STALE, State.UNREACHABLE  # an enum is slow to ask for its members
_TIERS = {tier: at for at, tier in enumerate(TIERS)}
_JUDGED_BY = frozenset({"said", "tier", "since_s", "lapses_s"})


@dataclass(slots=True)
class Member:
    """One node as the tracker holds it."""

    report: CapacityReport
    entry: Entry
    boots: Boots
    holds: Holds
    skew_s: float = 0.0
    since: Since = field(default_factory=Since)
    past: Past = field(default_factory=Past)
    words: Words = field(init=False)
    """Of the report."""

    def __post_init__(self) -> None:
        self.words = words_of(self.report)


def entry_of(report: CapacityReport) -> Entry:
    """What of a report the roster lists."""
    return Entry(report.node, report.region, report.url, report.boot, offer_of(report))


def lists_alike(report: CapacityReport, other: CapacityReport) -> bool:
    """Whether the roster lists two reports of one node alike; much cheaper than two entries."""
    return (
        report.kinds.keys() == other.kinds.keys()
        and report.languages == other.languages
        and report.models == other.models
        and report.voices == other.voices
        and report.url == other.url
        and report.boot == other.boot
        and report.region == other.region
    )


class Judged(msgspec.Struct, frozen=True, eq=False):
    """States, and what failures still say."""

    state: U8
    standing: U8
    share: F64
    history_ms: F64
    ramping: bool
    any_dead: bool

    def same(self, other: "Judged") -> bool:
        """Whether decisions come out alike."""
        pairs = ((self.standing, other.standing), (self.share, other.share),
                 (self.history_ms, other.history_ms))  # fmt: skip
        return all(np.array_equal(one, two) for one, two in pairs)


class Columns:
    """Room for so many nodes and kinds; everything starts as dead and full."""

    def __init__(self, kinds: tuple[str, ...], nodes: int) -> None:
        self.kinds = kinds
        self.next_s = float("inf")
        """Before this moment nothing changes by the passing of time alone."""
        self.heard_s: F64 = np.full(nodes, -np.inf)
        self.conflict_until_s: F64 = np.full(nodes, -np.inf)
        self.since_s: F64 = np.full(nodes, -np.inf)
        self.lapses_s: F64 = np.full((MOST_LAPSES, nodes), -np.inf)
        self.said: U8 = np.zeros(nodes, np.uint8)
        self.tier: U8 = np.zeros(nodes, np.uint8)
        self.fits: I32 = np.zeros((len(kinds), nodes), np.int32)
        self.held: I32 = np.zeros(nodes, np.int32)
        self.limit: I32 = np.zeros(nodes, np.int32)
        self.step_p95_ms: F64 = np.zeros(nodes)
        self.queue: I32 = np.zeros(nodes, np.int32)
        self.judged = False
        """Whether nothing was written since `judge` that states and shares depend on."""
        self._frozen: dict[str, NDArray[Any]] = {}
        self._written: list[tuple[Any, ...] | None] = [None] * nodes
        self._room: list[list[int] | None] = [None] * nodes
        self._past: list[tuple[float, list[float]]] = [(-inf, [])] * nodes
        """What stands in the columns of `_NUMBERS`, in `fits`, in `since_s` and `lapses_s`: columns
        are slow to ask."""
        self.times: list[tuple[float, float]] = [(-inf, -inf)] * nodes
        """Likewise what stands in `heard_s` and in `conflict_until_s`."""

    def write(self, at: int, member: Member) -> bool:
        """Puts a node's numbers in; says whether any that decisions depend on changed."""
        report = member.report
        self._write_times(at, member.boots)
        changed = self._write_past(at, member.past)
        changed |= self.write_room(at, member)
        numbers = (
            said_of(member), _TIERS[report.tier], report.held + report.reserved,
            report.limit, report.step_p95_ms, report.queue,
        )  # fmt: skip
        before = self._written[at]
        if numbers != before:
            for name, value, was in zip(_NUMBERS, numbers, before or _UNKNOWN):  # noqa: B905 quicker
                if value != was:
                    getattr(self, name)[at] = value
                    changed = self._touched(name)
            self._written[at] = numbers
        return changed

    def write_room(self, at: int, member: Member) -> bool:
        """Only the room that is left; all that changes when a seat is asked for or got."""
        left = _left(member)
        column = [left.get(kind, 0) for kind in self.kinds]
        if self._room[at] == column:
            return False
        self._room[at] = column
        self.fits[:, at] = column
        return self._touched("fits")

    def _write_times(self, at: int, boots: Boots) -> None:
        """When a node was heard of, and until when two boots contradict each other."""
        heard_s, conflict_s = boots.heard_s, boots.conflict_until_s
        if conflict_s != self.times[at][1]:
            self.conflict_until_s[at] = conflict_s
            self.next_s = min(self.next_s, conflict_s)
        self.heard_s[at] = heard_s
        self.next_s = min(self.next_s, heard_s + STALE_S)
        self.times[at] = heard_s, conflict_s

    def _write_past(self, at: int, of: Past) -> bool:
        """A node's failures; they seldom change."""
        (since_s, before_s), lapses_s = self._past[at], of.lapses_s
        changed = False
        if of.since_s != since_s:
            self.since_s[at] = of.since_s
            changed = self._touched("since_s")
        if lapses_s and lapses_s != before_s:
            self.lapses_s[:, at] = -inf
            self.lapses_s[-len(lapses_s) :, at] = lapses_s
            changed = self._touched("lapses_s")
        if changed:
            self._past[at] = of.since_s, list(lapses_s)
            self.next_s = -inf  # `look_ahead` finds when it changes again
        return changed

    def _touched(self, name: str) -> bool:
        self._frozen.pop(name, None)
        if name in _JUDGED_BY:
            self.judged = False
        return True

    def frozen(self, name: str) -> Any:
        """A column that never changes again: the same one as long as nobody wrote into it."""
        kept = self._frozen.get(name)
        if kept is None:
            kept = self._frozen[name] = getattr(self, name).copy()
            kept.setflags(write=False)
        return kept

    def judge(self, now_s: float) -> "Judged":
        """What follows for every node from what was written and from the time."""
        self.judged = True
        state = self._states(now_s)
        share = past.shares(self.since_s, now_s)
        return Judged(
            state=state,
            standing=standing_of(state, self.tier),
            share=share,
            history_ms=past.history_ms(self.lapses_s, now_s),
            ramping=bool(np.any(share < 1.0)),
            any_dead=bool(np.any(state == State.DEAD)),
        )

    def _states(self, now_s: float) -> U8:
        state = self.said.copy()
        state[now_s > self.heard_s + STALE_S] = State.STALE
        state[self.conflict_until_s > now_s] = State.CONFLICT
        state[now_s > self.heard_s + DEAD_S] = State.DEAD
        return state

    def look_ahead(self, now_s: float) -> None:
        """Works out `next_s` anew; only needed once it has passed."""
        heard_s = self.heard_s
        moments = np.concatenate(
            (heard_s + STALE_S, heard_s + DEAD_S, heard_s + FORGET_S, self.conflict_until_s,
             past.turns_s(self.since_s, self.lapses_s))
        )  # fmt: skip
        later = moments[moments >= now_s]
        self.next_s = float(later.min()) if later.size else float("inf")

    def any_forgotten(self, now_s: float) -> bool:
        """Whether a node has been dead for so long that it should go."""
        return bool(np.any(now_s > self.heard_s + FORGET_S))


def said_of(member: Member) -> State:
    """A node's state by its own word, its answers, and whether it is reached."""
    report, since = member.report, member.since
    if since.silent:
        return _STALE
    if not report.healthy:
        return _UNWELL
    if member.past.unreachable:
        return _UNREACHABLE
    return _DRAINING if report.draining or since.draining else _READY


def _left(member: Member) -> dict[str, int]:
    fits = {kind: room.fits for kind, room in member.report.kinds.items()}
    if member.holds.waiting:
        fits = room_left(fits, member.holds.waiting)
    for kind in member.since.full:
        fits[kind] = 0
    return fits
