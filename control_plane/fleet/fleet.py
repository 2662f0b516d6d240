"""The tracker: reports in, time in, a numbered view out. No clock, no loop, no bus of its own."""

import copy
from collections.abc import Iterator
from typing import Self

import msgspec

from control_plane.fleet import refusals
from control_plane.fleet.atlas import Atlas
from control_plane.fleet.boots import Boots
from control_plane.fleet.checks import check_report, numbers_fit
from control_plane.fleet.columns import FORGET_S, Member, entry_of, lists_alike, said_of
from control_plane.fleet.heard import Heard
from control_plane.fleet.holds import Hold, Holds
from control_plane.fleet.panel import Panel
from control_plane.fleet.past import Past
from control_plane.fleet.rows import node_row, region_rows
from control_plane.fleet.state import FleetState, MemberState, Since
from control_plane.fleet.states import State
from control_plane.fleet.view import FleetView
from control_plane.fleet.witness import Witness
from control_plane.fleet.words import Words, words_of
from heliovox.protocol.control import NodeView, RegionView
from shared import subjects
from shared.capacity import DEAD_S, CapacityReport
from shared.errors import InvalidMessage, NodeDraining, NodeFull
from shared.regions.model import World

MOST_NODES = 10_000
_READY = State.READY
_DECODER = msgspec.json.Decoder(CapacityReport)


class Fleet:
    """Every node that reported, as the centre sees it.

    All moments are seconds of the centre's own monotonic clock, the moment of arrival: what a
    node's clock says never decides anything. Moments may repeat; one that goes back counts as the
    latest that was seen.

    Args:
        world: nodes of other regions than its are refused.
        began_s: since when reports are listened to.
        most_nodes: further ones are refused once no dead one can make way.
        witness: told of everything that goes in.
    """

    def __init__(
        self,
        world: World,
        began_s: float,
        most_nodes: int = MOST_NODES,
        witness: Witness | None = None,
    ) -> None:
        self._atlas = Atlas(world)
        self._most = most_nodes
        self._began_s = self._now_s = began_s
        self._members: dict[str, Member] = {}
        self._gone: dict[str, str] = {}  # node -> the boot that said goodbye
        self._missing: dict[str, None] = {}  # nodes that died and were forgotten since
        self._panel = Panel(began_s)
        self._asked_for = 0
        self._witness = witness or Witness()
        self._witness.snapshot(self.state())

    @classmethod
    def restored(cls, state: FleetState) -> Self:
        """A fleet that goes on from where another was."""
        fleet = cls(state.world, state.began_s, state.most_nodes)
        fleet._now_s, fleet._asked_for, fleet._gone = state.now_s, state.holds, dict(state.gone)
        fleet._missing = dict.fromkeys(state.missing)
        for one in copy.deepcopy(state.members):
            entry, holds = entry_of(one.report), Holds(one.waiting)
            fleet._members[entry.name] = Member(
                one.report, entry, one.boots, holds, since=one.since, past=one.past
            )
        fleet._panel = Panel(state.began_s, max(0, state.view - 1), state.loads)
        if state.view:
            fleet.view(state.now_s)
        return fleet

    def state(self) -> FleetState:
        """All that it knows, as of the last moment it was told of."""
        view = 0 if self._panel.number == 0 else self.view(self._now_s).number
        return FleetState(
            world=self.world,
            began_s=self._began_s,
            now_s=self._now_s,
            most_nodes=self._most,
            view=view,
            holds=self._asked_for,
            members=[
                MemberState(one.report, one.boots, one.holds.waiting, one.since, one.past)
                for one in self._members.values()
            ],
            gone=dict(self._gone),
            missing=list(self._missing),
            loads=self._panel.loads(),
        )

    def holds(self) -> list[Hold]:
        """The seats that are asked for and not counted by a report yet."""
        return [hold for member in self._members.values() for hold in member.holds.waiting]

    @property
    def world(self) -> World:
        """The world that reports are held against."""
        return self._atlas.world

    def use(self, world: World) -> None:
        """Another world from now on. Nodes of regions that it lacks are forgotten."""
        self._witness.used(world)
        self._atlas = Atlas(world)
        for name, member in list(self._members.items()):
            if member.report.region not in world.regions:
                del self._members[name]
        self._panel.enlist()

    def heard(self, subject: str, data: bytes, now_s: float, wall_s: float | None = None) -> Heard:
        """A report as it came over the bus: decoded, and held against who may have sent it.

        The server lets a node publish under its own region and name only. So a report that names
        another than its subject does is refused, whoever sent it.
        """
        try:
            report = _DECODER.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            sender = subject.split(".")[3] if subject.count(".") >= 3 else subject
            return Heard("malformed", sender[:63], refusals.malformed(str(error)))
        own = f"{subjects.META}.{report.region}.{report.node}.report"
        if subject != own:
            return Heard("not_its_name", report.node[:63], refusals.not_its_name(subject, own))
        return self.reported(report, now_s, wall_s)

    def reported(self, report: CapacityReport, now_s: float, wall_s: float | None = None) -> Heard:
        """Takes a report in. Never raises for what a report says.

        Args:
            report: whoever sent it, already known to be who it says (see `heard`).
            now_s: when it came.
            wall_s: seconds since 1970 then, to tell how far the node's clock is off; None skips it.
        """
        member, words = self._members.get(report.node), words_of(report)
        if member is not None and member.words == words and numbers_fit(report):
            words = member.words  # found equal at a glance from here on
        else:
            try:
                check_report(report)
            except InvalidMessage as error:
                return Heard("malformed", report.node[:63], error)
        return self._taken(report, words, now_s, wall_s)

    def checked(self, report: CapacityReport, now_s: float, wall_s: float | None = None) -> Heard:
        """`reported`, for a report that is known to be well formed: records hold no others."""
        return self._taken(report, words_of(report), now_s, wall_s)

    def _taken(
        self, report: CapacityReport, words: Words, now_s: float, wall_s: float | None
    ) -> Heard:
        self._advance(now_s)
        self._witness.reported(report, words, self._now_s)
        if self._gone.get(report.node) == report.boot:
            return Heard("gone", report.node)
        member = self._members.get(report.node)
        if report.goodbye:
            return self._goodbye(report, member)
        if refusal := self._refusal(report, member):
            return refusal
        if member is None or self._is_dead(member):
            return self._join(report, member, wall_s)
        return self._again(report, words, member, wall_s)

    def held_back(self, node: str, kind: str, now_s: float) -> Hold | None:
        """A seat is being asked for: the view counts it from now on. None for an unknown node.

        Follow it with `granted`, `refused`, `silent` or `released`; whatever happens it is
        forgotten with a report that must know better.
        """
        member = self._members.get(node)
        if member is None:
            return None
        self._advance(now_s)
        self._witness.held_back(node, kind, self._now_s)
        self._asked_for += 1
        hold = Hold(node, kind, self._now_s, self._asked_for)
        member.holds.waiting.append(hold)
        self._panel.write_room(member)
        return hold

    def granted(self, hold: Hold, taken: int = 0) -> None:
        """The node holds the seat.

        Args:
            hold: of `held_back`.
            taken: seats that are taken now, this one included, as the node's answer says
                (`Reserved.held`). A report that came before the answer and has as many counts the
                seat already. 0 where it is not known.
        """
        self._witness.granted(hold.number, taken)
        member = self._members.get(hold.node)
        if member is None or hold not in member.holds.waiting:
            return
        hold.granted = True
        counted = member.report.held + member.report.reserved
        if 0 < taken <= counted:
            self._drop(member, hold)

    def refused(self, hold: Hold, code: str | None) -> None:
        """The node holds no seat. What that says of it is believed until it reports again.

        Args:
            hold: of `held_back`.
            code: of its answer: `node_full` and `node_draining` say something, others do not.
        """
        self._witness.refused(hold.number, code)
        member = self._members.get(hold.node)
        if member is None or not member.holds.drop(hold):
            return
        if code == NodeFull.code:
            member.since.full.add(hold.kind)
        if code == NodeDraining.code:
            member.since.draining = True
        self._rewrite(member)

    def released(self, hold: Hold) -> None:
        """The seat was refused or given back, or is counted by now. Twice is once."""
        self._witness.released(hold.number)
        member = self._members.get(hold.node)
        if member is not None:
            self._drop(member, hold)

    def silent(self, hold: Hold) -> None:
        """The node did not answer: it counts as stale until it reports again, and costs more."""
        self._witness.silent(hold.number)
        member = self._members.get(hold.node)
        if member is None or not member.holds.drop(hold):
            return
        member.since.silent = True
        member.past.lapsed(self._now_s)
        self._rewrite(member)

    def reached(self, node: str, now_s: float, *, reachable: bool) -> bool:
        """Whether somebody answers where a node's callers come in; says whether that is new.

        A node that is not reached takes no sessions, whatever it reports, until it is.
        """
        member = self._members.get(node)
        if member is None or member.past.unreachable != reachable:
            return False
        self._advance(now_s)
        self._witness.reached(node, self._now_s, reachable=reachable)
        member.past.unreachable = not reachable
        self._rewrite(member)
        return True

    def view(self, now_s: float) -> FleetView:
        """The fleet now; the same object as before where nothing that matters changed."""
        self._advance(now_s)
        if self._panel.forgets(self._now_s):
            self._forget()
        before = self._panel.number
        view = self._panel.view(self._atlas, self._members, self._now_s)
        if view.number != before:
            self._witness.looked(view, self._now_s)
        return view

    def nodes(self, now_s: float) -> tuple[NodeView, ...]:
        """Every node for operators, by name; the dead for five minutes more."""
        view = self.view(now_s)
        return tuple(
            node_row(view, at, self._members[name], self._now_s)
            for at, name in enumerate(view.nodes)
        )

    def bundles(self) -> Iterator[str | None]:
        """The version of the bundle that each live node admits by."""
        living = (member for member in self._members.values() if not self._is_dead(member))
        return (member.report.bundle_version for member in living)

    def regions(self, now_s: float) -> tuple[RegionView, ...]:
        """Every region of the world for operators, by name, those without nodes too."""
        return region_rows(self.view(now_s), self.world)

    def _advance(self, now_s: float) -> None:
        self._now_s = max(self._now_s, now_s)

    def _is_dead(self, member: Member) -> bool:
        return self._now_s > member.boots.heard_s + DEAD_S

    def _refusal(self, report: CapacityReport, member: Member | None) -> Heard | None:
        node = report.node
        if report.region not in self._atlas.index:
            return Heard("unknown_region", node, refusals.unknown_region(report))
        if member is None:
            full = not self._has_room()
            return Heard("fleet_full", node, refusals.fleet_full(self._most)) if full else None
        before = member.report.region
        if before != report.region and not self._is_dead(member):
            return Heard("region_changed", node, refusals.region_changed(report, before))
        return None

    def _has_room(self) -> bool:
        if len(self._members) >= self._most:
            dead = [member for member in self._members.values() if self._is_dead(member)]
            if dead:
                oldest = min(dead, key=lambda member: member.boots.heard_s)
                self._miss(oldest.entry.name)
        return len(self._members) < self._most

    def _goodbye(self, report: CapacityReport, member: Member | None) -> Heard:
        if member is None:  # one that died and was forgotten since did so without a goodbye
            return Heard("gone", report.node)
        if member.boots.current != report.boot:
            member.boots.left(report.boot)
            return Heard("other_boot", report.node)
        self._remove(report.node)
        self._gone[report.node] = report.boot
        if len(self._gone) > self._most:
            del self._gone[next(iter(self._gone))]
        return Heard("removed", report.node)

    def _join(self, report: CapacityReport, before: Member | None, wall_s: float | None) -> Heard:
        """A node that is new, or that was dead and comes back."""
        boots = Boots(report.boot, report.seq, self._now_s)
        past = Past() if before is None else before.past
        if before is not None or report.node in self._missing:
            past.failed()
        if before is not None and before.report.boot != report.boot:
            past.lapsed(self._now_s, before.report.held)  # with the boot its sessions died
        skew_s = _skew_s(report, wall_s)
        member = Member(report, entry_of(report), boots, Holds(), skew_s, past=past)
        self._members[report.node] = member
        self._gone.pop(report.node, None)
        self._missing.pop(report.node, None)
        self._judge(member)
        self._panel.enlist()
        return Heard("applied", report.node)

    def _again(
        self, report: CapacityReport, words: Words, member: Member, wall_s: float | None
    ) -> Heard:
        verdict = member.boots.heard(report.boot, report.seq, self._now_s)
        if verdict == "late":
            return Heard("out_of_order", report.node)
        if verdict == "other":
            self._rewrite(member)
            return Heard("other_boot", report.node)
        if verdict == "newer":
            member.holds = Holds()
            member.past.lapsed(self._now_s, member.report.held)
        elif (faults := report.faults - member.report.faults) > 0:
            member.past.lapsed(self._now_s, faults)
        member.holds.reported(self._now_s)
        before, member.report, member.since = member.report, report, Since()
        member.skew_s = _skew_s(report, wall_s)
        if words == member.words:
            return Heard("applied" if self._rewrite(member) else "beat", report.node)
        member.words = words
        if not lists_alike(report, before):
            member.entry = entry_of(report)
            self._judge(member)
            self._panel.enlist()
            return Heard("applied", report.node)
        return Heard("applied" if self._rewrite(member) else "beat", report.node)

    def _judge(self, member: Member) -> None:
        """Has it failed, or is it ready again?"""
        if not member.report.healthy or member.past.unreachable:
            member.past.failed()
        elif said_of(member) is _READY:
            member.past.ready(self._now_s)

    def _rewrite(self, member: Member) -> bool:
        self._judge(member)
        return self._panel.write(member, self._now_s)

    def _drop(self, member: Member, hold: Hold) -> None:
        if member.holds.drop(hold):
            self._panel.write_room(member)

    def _remove(self, node: str) -> None:
        del self._members[node]
        self._panel.enlist()

    def _forget(self) -> None:
        for name, member in list(self._members.items()):
            if self._now_s > member.boots.heard_s + FORGET_S:
                self._miss(name)

    def _miss(self, node: str) -> None:
        """Forgets a dead node, but not that it died."""
        self._remove(node)
        self._missing[node] = None
        if len(self._missing) > self._most:
            del self._missing[next(iter(self._missing))]


def _skew_s(report: CapacityReport, wall_s: float | None) -> float:
    return 0.0 if wall_s is None else report.at_ms / 1000.0 - wall_s
