"""Fleets with a past, policies with every clause, and asks: whatever a decision may meet."""

from dataclasses import dataclass

import msgspec
from hypothesis import strategies as st

from control_plane.fleet import Fleet, FleetView
from control_plane.placement import PlacementAsk
from shared.policy import CompiledPolicy
from shared.regions import World
from shared.regions.model import RankingRules
from tests.support.fleets import ASKS, any_report, worlds

NOW_S = 100.0


@dataclass(frozen=True)
class Question:
    """What `decide` is handed."""

    view: FleetView
    ask: PlacementAsk
    policy: CompiledPolicy

    @property
    def rules(self) -> RankingRules:
        return self.view.roster.atlas.world.ranking


@st.composite
def priced_worlds(draw: st.DrawFn) -> World:
    """Regions at some price, and any weight of money."""
    at = draw(worlds())
    regions = {
        name: msgspec.structs.replace(
            region, hourly_cost_usd=draw(st.sampled_from([0.5, 1.0, 2.0]))
        )
        for name, region in at.regions.items()
    }
    ranking = RankingRules(draw(st.sampled_from([0.0, 1.0, 30.0])), draw(st.booleans()))
    return msgspec.structs.replace(at, regions=regions, ranking=ranking)


@st.composite
def policies(draw: st.DrawFn, at: World) -> CompiledPolicy:
    """Any, also one that no file could say."""
    some = st.frozensets(st.sampled_from(sorted(at.regions)))
    allowed = draw(st.just(frozenset(at.regions)) | some)
    return CompiledPolicy(
        name="p",
        version="v",
        allowed=allowed,
        overflow=allowed & draw(st.just(allowed) | some),
        max_added_rtt_ms=draw(st.none() | st.floats(0, 200)),
        when_full="refuse",
        wait_s=0.0,
        preferred=allowed & draw(st.just(frozenset()) | some),
        from_load=draw(st.sampled_from([1.0, 0.05, 0.3, 0.5, 0.7])),
        max_added_cost_usd=draw(st.none() | st.sampled_from([0.0, 0.5, 1.0])),
    )


@st.composite
def pasts(draw: st.DrawFn, at: World) -> Fleet:
    """A fleet of which nodes were silent, not well, not reached, and came back, or not."""
    known, seqs = Fleet(at, 0.0), dict.fromkeys("abcdefgh", 0)
    reports = {
        node: draw(any_report(node, at)) for node in draw(st.sets(st.sampled_from("abcdefgh")))
    }
    for now_s in draw(st.lists(st.sampled_from([20.0, 70.0, 98.0, 99.0]), max_size=4).map(sorted)):
        for node, said in reports.items():
            seqs[node] += 1
            what = draw(st.sampled_from(["report", "report", "sick", "nothing", "cut", "silent"]))
            if what != "nothing":
                report = msgspec.structs.replace(said, seq=seqs[node], healthy=what != "sick")
                known.reported(report, now_s)
            if what == "cut":
                known.reached(node, now_s, reachable=draw(st.booleans()))
            if what == "silent" and (hold := known.held_back(node, "recognition", now_s)):
                known.silent(hold)
    for node, said in reports.items():
        if draw(st.sampled_from([True, True, True, False])):
            known.reported(msgspec.structs.replace(said, seq=seqs[node] + 1), NOW_S)
    return known


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any."""
    at = draw(priced_worlds())
    known = draw(pasts(at))
    wanted = msgspec.structs.replace(draw(ASKS), ramp=draw(st.floats(0, 1, exclude_max=True)))
    if draw(st.integers(0, 3)):  # mostly what most nodes offer
        wanted = msgspec.structs.replace(
            wanted, kind="recognition", language="en", model=None, without=()
        )
    return Question(known.view(NOW_S), wanted, draw(policies(at)))
