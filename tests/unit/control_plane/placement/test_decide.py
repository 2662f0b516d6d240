from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from control_plane.fleet import Fleet, FleetView, State
from control_plane.placement import Decision, PlacementAsk, Reason, decide, explain
from control_plane.placement.decision import MOST_CANDIDATES
from control_plane.placement.ranking import MARGIN_MS
from heliovox.protocol.messages import Place
from shared.capacity import CapacityReport, KindRoom
from shared.geography import rtt_ms
from shared.policy import CompiledPolicy, compile_policies, home_region
from shared.regions import World
from tests.support.fleets import (
    ASKS,
    MUMBAI,
    PARIS,
    any_report,
    ask,
    fleet,
    policy,
    report,
    reports_in,
    view,
    worlds,
)

NOW_S = 10.0


@st.composite
def questions(draw: st.DrawFn) -> tuple[World, list[CapacityReport], Fleet, PlacementAsk]:
    """Any fleet in any world, some nodes silent for a while, and any ask."""
    at = draw(worlds())
    reports = draw(reports_in(at))
    known = Fleet(at, 0.0)
    moments = {said.node: draw(st.sampled_from([10.0, 10.0, 10.0, 6.5, 2.0])) for said in reports}
    for said in sorted(reports, key=lambda one: moments[one.node]):
        known.reported(said, moments[said.node])
    return at, reports, known, draw(ASKS)


def rule(of: World) -> CompiledPolicy:
    return compile_policies(of).of("p")


def offers(said: CapacityReport, wanted: PlacementAsk) -> bool:
    """By the report's own words, in plain Python."""
    return (
        wanted.kind in said.kinds
        and wanted.language.lower() in said.languages
        and (wanted.model is None or wanted.model in said.models + said.voices)
    )


def can(said: CapacityReport, wanted: PlacementAsk, seen: FleetView) -> bool:
    """Whether the node could take the session, wherever it stands."""
    return (
        offers(said, wanted)
        and seen.state_of(said.node) is State.READY
        and said.tier == "hot"
        and said.kinds[wanted.kind].fits > 0
        and said.node not in wanted.without
    )


def home_of(
    at: World, reports: list[CapacityReport], wanted: PlacementAsk, seen: FleetView
) -> str | None:
    alive = {
        said.region
        for said in reports
        if offers(said, wanted) and seen.state_of(said.node) is not State.DEAD
    }
    return home_region(rule(at), wanted.place, at, alive)


# --- what must always hold ---


@given(questions())
def test_whoever_is_tried_may_and_can_take_it(
    question: tuple[World, list[CapacityReport], Fleet, PlacementAsk],
) -> None:
    at, reports, known, wanted = question
    seen = known.view(NOW_S)
    decision = decide(seen, wanted, rule(at))
    said = {one.node: one for one in reports}
    home = home_of(at, reports, wanted, seen)
    assert decision.home == home
    for candidate in decision.candidates:
        one = said[candidate.node]
        assert one.region == candidate.region
        assert candidate.region in rule(at).allowed
        assert can(one, wanted, seen)
        if candidate.region != home:
            assert home is not None
            added_ms = candidate.rtt_ms - rtt_ms(wanted.place, at.regions[home].place)
            most_ms = rule(at).max_added_rtt_ms
            assert candidate.region in rule(at).overflow
            assert most_ms is None or added_ms <= most_ms


@given(questions())
def test_somebody_is_placed_where_somebody_can_be(
    question: tuple[World, list[CapacityReport], Fleet, PlacementAsk],
) -> None:
    """And at home, as long as there is room at home."""
    at, reports, known, wanted = question
    seen = known.view(NOW_S)
    decision = decide(seen, wanted, rule(at))
    home = home_of(at, reports, wanted, seen)
    at_home = {one.node for one in reports if one.region == home and can(one, wanted, seen)}
    if at_home:
        assert decision.winner is not None
        assert decision.winner.region == home
        first = [one.region == home for one in decision.candidates[: len(at_home)]]
        assert all(first)
    elif home is not None and rule(at).max_added_rtt_ms is None:
        away = [one for one in reports if one.region in rule(at).overflow]
        assert (decision.winner is not None) == any(can(one, wanted, seen) for one in away)


@given(questions())
def test_a_refusal_says_whether_waiting_could_help(
    question: tuple[World, list[CapacityReport], Fleet, PlacementAsk],
) -> None:
    at, reports, known, wanted = question
    seen = known.view(NOW_S)
    decision = decide(seen, wanted, rule(at))
    assume(decision.winner is None)
    lawful = [one for one in reports if one.region in rule(at).allowed and offers(one, wanted)]
    assert decision.outcome == ("no_room" if lawful else "not_allowed")


@given(questions(), st.data())
def test_nodes_outside_the_allowed_set_change_nothing(
    question: tuple[World, list[CapacityReport], Fleet, PlacementAsk], data: st.DataObject
) -> None:
    at, _, known, wanted = question
    outside = sorted(set(at.regions) - rule(at).allowed)
    assume(outside)
    before = decide(known.view(NOW_S), wanted, rule(at))
    stranger = data.draw(any_report("zz", at))
    region = data.draw(st.sampled_from(outside))
    known.reported(msgspec.structs.replace(stranger, region=region), NOW_S)
    after = decide(known.view(NOW_S), wanted, rule(at))
    assert after.candidates == before.candidates
    assert (after.outcome, after.home) == (before.outcome, before.home)
    assert set(after.codes) - {"nearer_not_allowed"} - {"no_node_allowed"} == (
        set(before.codes) - {"nearer_not_allowed"} - {"no_node_allowed"}
    )


@given(questions())
def test_every_node_has_its_reason_once(
    question: tuple[World, list[CapacityReport], Fleet, PlacementAsk],
) -> None:
    at, reports, known, wanted = question
    decision = decide(known.view(NOW_S), wanted, rule(at))
    told = explain(decision)
    rows = told.ranking + told.losers
    assert Counter(row.node for row in rows) == Counter(one.node for one in reports)
    assert [row.node for row in rows if row.reason == "winner"] == (
        [] if decision.winner is None else [decision.winner.node]
    )
    assert "able" not in {row.reason for row in rows}
    assert decision.counts == Counter(row.reason for row in rows)
    region = {one.node: one.region for one in reports}
    for row in rows:
        assert row.region == region[row.node]
        assert (row.reason == "not_allowed") == (row.region not in rule(at).allowed)


@given(questions())
def test_equal_inputs_give_equal_decisions(
    question: tuple[World, list[CapacityReport], Fleet, PlacementAsk],
) -> None:
    """A second fleet, told the same in the same order, has none of the first one's memories."""
    at, _, known, wanted = question
    first = decide(known.view(NOW_S), wanted, rule(at))
    assert decide(known.view(NOW_S), wanted, rule(at)).fingerprint == first.fingerprint
    other = msgspec.structs.replace(wanted, place=Place(1.0, 1.0), kind="synthesis")
    decide(known.view(NOW_S), other, rule(at))
    assert decide(known.view(NOW_S), wanted, rule(at)).fingerprint == first.fingerprint


# --- stories ---


def test_a_caller_goes_to_the_nearest_region() -> None:
    seen = view(report("a", "eu-central"), report("b", "eu-west"), report("c", "ap-south"))
    decision = decide(seen, ask(PARIS), policy("anywhere"))
    assert decision.winner is not None
    assert (decision.winner.node, decision.home, decision.codes) == (
        "a", "eu-central", ("nearest_allowed",),
    )  # fmt: skip
    there = decide(seen, ask(MUMBAI), policy("anywhere")).winner
    assert there is not None
    assert there.node == "c"


def test_a_full_home_overflows_within_the_policy_only() -> None:
    seen = view(report("a", fits=0), report("b", "eu-west"), report("c", "ap-south"))
    decision = decide(seen, ask(), policy("eu-only"))
    assert decision.winner is not None
    assert (decision.winner.node, decision.overflow) == ("b", True)
    assert decision.codes == ("overflow_home_full",)
    assert "c" not in {one.node for one in decision.candidates}


def test_a_home_that_drains_is_still_home() -> None:
    seen = view(report("a", draining=True), report("b", "eu-west"))
    decision = decide(seen, ask(), policy("eu-only"))
    assert decision.home == "eu-central"
    assert decision.codes == ("overflow_home_unavailable",)
    assert decide(seen, ask(), policy("at-home")).outcome == "no_room"


def test_overflow_that_would_add_too_much_is_no_overflow() -> None:
    seen = view(report("a", fits=0), report("b", "ap-south"))
    decision = decide(seen, ask(), policy("near"))
    assert decision.outcome == "no_room"
    assert decision.codes == ("full", "too_far")
    near = decide(view(report("a", fits=0), report("b", "eu-west")), ask(), policy("near"))
    assert near.winner is not None


def test_the_limit_is_of_what_overflow_adds_and_not_of_the_whole_way() -> None:
    seen = view(report("a", fits=0), report("b", "eu-west"))
    decision = decide(seen, ask(Place(-1.3, 36.8)), policy("near"))
    assert decision.home == "eu-central"
    assert decision.winner is not None
    assert decision.winner.rtt_ms > 90


def test_a_home_region_needs_a_node_that_has_what_is_asked_for() -> None:
    seen = view(report("a"), report("b", "ap-south", languages=("hi",)))
    decision = decide(seen, ask(language="hi"), policy("anywhere"))
    assert (decision.home, decision.codes) == ("ap-south", ("nearest_allowed",))


def test_a_nearer_region_that_is_not_allowed_is_named() -> None:
    seen = view(report("a"), report("b", "ap-south"))
    decision = decide(seen, ask(MUMBAI), policy("eu-only"))
    assert decision.codes == ("nearest_allowed", "nearer_not_allowed")


def test_a_nearer_region_whose_nodes_are_dead_is_not() -> None:
    known = fleet([report("a"), report("b", "ap-south")])
    known.reported(report("a", seq=2), NOW_S + 9)
    decision = decide(known.view(NOW_S + 9), ask(MUMBAI), policy("eu-only"))
    assert decision.codes == ("nearest_allowed",)


def test_nothing_offered_is_not_allowed_and_nothing_free_is_no_room() -> None:
    only = view(report("a", fits=0), report("b", "ap-south", languages=("hi",)))
    assert decide(only, ask(language="hi"), policy()).codes == ("no_language",)
    assert decide(only, ask(language="hi"), policy()).outcome == "not_allowed"
    assert decide(only, ask(), policy()).outcome == "no_room"
    assert decide(view(report("b", "ap-south")), ask(), policy()).codes == ("no_node_allowed",)
    assert decide(view(), ask(), policy()).outcome == "not_allowed"


def test_a_fleet_that_has_just_begun_cannot_say_that_nobody_is_there() -> None:
    young = view(now_s=1.0)
    decision = decide(young, ask(), policy())
    assert (decision.outcome, decision.codes) == ("no_room", ("fleet_settling",))


def test_dead_nodes_may_come_back() -> None:
    known = Fleet(view().roster.atlas.world, 0.0)
    known.reported(report("a"), 10.0)
    decision = decide(known.view(20.0), ask(), policy())
    assert (decision.outcome, decision.home, decision.codes) == ("no_room", None, ("dead",))


# --- ranking ---


@pytest.mark.parametrize(
    ("worse", "part"),
    [({"step_p95_ms": 50.0}, "step_ms"), ({"queue": 80}, "queue_ms"),
     ({"held": 9, "fits": 1}, "load_ms")],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("draw", [0.0, 0.3, 0.6, 0.999])
def test_in_one_region_the_slower_fuller_or_busier_node_loses(
    worse: dict[str, object], part: str, draw: float
) -> None:
    seen = view(report("a", **worse), report("b", held=0, fits=10))
    decision = decide(seen, ask(draw=draw), policy())
    first, second = decision.candidates
    assert (first.node, second.node) == ("b", "a")
    assert getattr(second, part) - getattr(first, part) > MARGIN_MS
    assert second.cost_ms == sum(second[4:8])


def spread(fleet: FleetView, count: int) -> Counter[str]:
    rule, winners = policy(), Counter[str]()
    for number in range(count):
        winner = decide(fleet, ask(draw=(number + 0.5) / count), rule).winner
        assert winner is not None
        winners[winner.node] += 1
    return winners


def test_a_burst_on_one_view_spreads_over_nodes_that_are_as_good() -> None:
    equal = spread(view(*(report(name) for name in "abcde")), 1000)
    assert len(equal) == 5
    assert max(equal.values()) <= 220
    two = spread(view(report("a", step_p95_ms=5.0), report("b", step_p95_ms=5.5)), 1000)
    assert two == {"a": 750, "b": 250}


def test_nobody_is_spread_to_a_node_that_is_clearly_worse_or_in_another_region() -> None:
    far = view(report("a"), report("b", step_p95_ms=5.0 + 2 * MARGIN_MS), report("c", "eu-west"))
    assert set(spread(far, 200)) == {"a"}


def test_there_are_so_many_candidates_and_so_many_ranked() -> None:
    seen = view(*(report(f"n{number:03}") for number in range(100)))
    decision = decide(seen, ask(), policy())
    assert len(decision.candidates) == MOST_CANDIDATES
    told = explain(decision)
    assert len(told.ranking) == 64
    assert len(told.losers) == 36
    assert {row.reason for row in told.losers} == {"ranked_lower"}


def test_the_draw_is_a_share() -> None:
    for draw in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="draw"):
            decide(view(report()), ask(draw=draw), policy())


def test_widening_is_impossible() -> None:
    """Not by a policy's own mistake, not by writing into what is remembered."""
    with pytest.raises(ValueError, match="not allowed"):
        CompiledPolicy("p", "v", frozenset(), frozenset({"ap-south"}), None, "refuse", 0.0)
    seen = view(report("a", fits=0), report("c", "ap-south"))
    first = decide(seen, ask(), policy("eu-only"))
    first.reasons[:] = Reason.ABLE
    assert decide(seen, ask(), policy("anywhere")).winner is not None
    assert decide(seen, ask(), policy("eu-only")).outcome == "no_room"


def decision_of(*reports: CapacityReport) -> Decision:
    return decide(view(*reports), ask(), policy())


def test_what_a_decision_shows_is_what_it_was_made_from() -> None:
    told = explain(decision_of(report("a"), report("b", "ap-south")), "plane-1", ("a: full",), "s1")
    assert (told.id, told.control_plane, told.view) == ("d1", "plane-1", 1)
    assert (told.outcome, told.node, told.region) == ("placed", "a", "eu-central")
    assert told.allowed_regions == ("eu-central", "eu-west")
    assert (told.attempts, told.session) == (("a: full",), "s1")
    row = told.ranking[0]
    parts = (row.rtt_ms, row.step_ms, row.queue_ms, row.load_ms)
    assert row.cost_ms == pytest.approx(sum(part or 0.0 for part in parts), abs=0.01)
    assert told.losers[0].reason == "not_allowed"
    assert told.losers[0].rtt_ms == pytest.approx(rtt_ms(PARIS, Place(19.1, 72.9)), abs=0.01)
    assert msgspec.json.decode(msgspec.json.encode(told), type=type(told)) == told


def test_kinds_that_nobody_has_yet_are_no_kind() -> None:
    seen = view(report("a", kinds={"synthesis": KindRoom(0, 3)}))
    assert np.array_equal(decide(seen, ask(), policy()).reasons, [Reason.NO_KIND])
