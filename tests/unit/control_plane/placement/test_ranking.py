"""What always holds, whatever load, failures, prices and draws; and the failure modes of others."""

import dataclasses
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.fleet import Fleet, State
from control_plane.fleet.loads import PLAY, with_play
from control_plane.placement import Decision, decide, explain
from control_plane.placement.classes import CLASSES
from control_plane.placement.ranking import MARGIN_MS
from shared.policy import CompiledPolicy
from shared.regions.model import RankingRules
from tests.support.fleets import MUMBAI, PRICES, ask, fleet, policy, report, view, world
from tests.support.questions import Question, questions


def decided(question: Question) -> Decision:
    return decide(question.view, question.ask, question.policy)


def region_load(question: Question, region: str) -> float:
    roster = question.view.roster
    row = roster.kinds.index(question.ask.kind)
    return float(question.view.load[row, roster.atlas.index[region]])


# --- whatever happens ---


@given(questions())
def test_nothing_outside_the_allowed_set_is_ranked(question: Question) -> None:
    told = explain(decided(question))
    assert {row.region for row in told.ranking} <= question.policy.allowed
    for row in told.losers:
        assert (row.reason == "not_allowed") == (row.region not in question.policy.allowed)


@given(questions())
def test_whoever_is_ranked_is_in_reach_by_delay_and_by_price(question: Question) -> None:
    decision, regions = decided(question), question.view.roster.atlas.world.regions
    for row in explain(decision).ranking:
        assert decision.home is not None
        if row.region == decision.home:
            continue
        home, atlas = question.view.roster.atlas.index[decision.home], question.view.roster.atlas
        rtt_ms = atlas.rtt_ms(question.ask.place)
        added_ms = float(rtt_ms[atlas.index[row.region]] - rtt_ms[home])
        added_usd = regions[row.region].hourly_cost_usd - regions[decision.home].hourly_cost_usd
        most_ms, most_usd = question.policy.max_added_rtt_ms, question.policy.max_added_cost_usd
        assert row.region in question.policy.overflow
        assert most_ms is None or added_ms <= most_ms
        assert most_usd is None or added_usd <= most_usd


@given(questions())
def test_a_node_that_recovers_never_causes_a_refusal(question: Question) -> None:
    """Had nobody ever failed, the same sessions would be placed and the same refused."""
    well = msgspec.structs.replace(
        question.view, share=np.ones(len(question.view.nodes)), ramping=False
    )
    before, after = decide(well, question.ask, question.policy), decided(question)
    assert (before.outcome, before.home) == (after.outcome, after.home)
    if len(before.ranked.nodes) < 8:  # else those behind are not ranked at all
        assert {one.node for one in before.candidates} == {one.node for one in after.candidates}


@given(questions())
def test_who_stands_back_comes_after_all_who_do_not(question: Question) -> None:
    decision = decided(question)
    back = [
        bool(share < 1.0 and share <= question.ask.ramp) for share in decision.ranked.share.tolist()
    ]
    assert back == sorted(back)
    assert back == [class_ >= CLASSES for class_ in decision.ranked.classes.tolist()]
    assert ("ramping_only" in decision.codes) == bool(back and back[0])
    reasons = {row.reason for row in explain(decision).ranking[1:] if row.stands_back}
    if back and not back[0]:
        assert reasons <= {"ramping"}


@given(questions())
def test_classes_come_in_order_and_then_costs(question: Question) -> None:
    decision = decided(question)
    rest = [(one.class_, one.cost_ms) for one in decision.candidates[1:]]
    classes = [class_ for class_, _ in rest]
    assert classes == sorted(classes)
    for class_ in set(classes):
        costs = [cost for of, cost in rest if of == class_]
        assert costs == sorted(costs)
    if decision.winner is not None:
        assert decision.winner.class_ <= min(classes, default=CLASSES * 2)


@given(questions())
def test_money_never_outweighs_more_than_the_margin_of_risk(question: Question) -> None:
    """In conservative mode; and in the other one it does so only by what it says."""
    decision = decided(question)
    winner, table = decision.winner, decision.ranked
    if winner is None:
        return
    same = table.classes == winner.class_
    parts = table.parts_ms[:, same]
    counted = parts[:5] if question.rules.conservative else parts
    assert winner.cost_ms <= counted.sum(axis=0).min() + MARGIN_MS + 1e-9


@given(questions())
def test_overflow_begins_early_only_where_it_helps(question: Question) -> None:
    """Home is passed over for load only where it is over the line and the other is below it."""
    decision = decided(question)
    if decision.winner is None or decision.winner.region == decision.home:
        return
    assert decision.home is not None
    able_at_home = [
        row
        for row in explain(decision).ranking
        if row.region == decision.home and row.stands_back == (decision.winner.class_ >= CLASSES)
    ]
    from_load = question.policy.from_load
    if able_at_home:
        assert from_load < 1.0
        assert region_load(question, decision.home) >= from_load
        assert region_load(question, decision.winner.region) < from_load
        assert {row.reason for row in able_at_home} <= {"home_spared"}


@given(questions())
def test_home_is_a_preferred_region_where_one_serves(question: Question) -> None:
    decision = decided(question)
    roster = question.view.roster
    offering = {
        row.region
        for row in (*explain(decision).ranking, *explain(decision).losers)
        if row.reason not in {"not_allowed", "no_kind", "no_language", "no_model", "dead"}
    }
    assert (decision.home is None) == (not offering)
    if decision.home is None:
        return
    among = offering & question.policy.preferred or offering
    rtt_ms = roster.atlas.rtt_ms(question.ask.place)
    near = min(among, key=lambda name: (rtt_ms[roster.atlas.index[name]], name))
    assert decision.home == near
    nearest = min(offering, key=lambda name: (rtt_ms[roster.atlas.index[name]], name))
    if decision.winner is not None:
        assert ("preferred" in decision.codes) == (near != nearest)
        assert ("nearest_allowed" in decision.codes) == (
            near == nearest and decision.winner.region == near
        )


@given(questions())
def test_every_node_has_one_reason_and_the_winner_is_first(question: Question) -> None:
    decision = decided(question)
    told = explain(decision)
    rows = told.ranking + told.losers
    assert Counter(row.node for row in rows) == Counter(question.view.nodes)
    assert "able" not in {row.reason for row in rows}
    assert [row.node for row in rows if row.reason == "winner"] == (
        [] if decision.winner is None else [told.ranking[0].node]
    )
    ranked = {"winner", "ranked_lower", "overflow_not_needed", "home_spared", "ramping"}
    assert {row.reason for row in told.ranking} <= ranked


# --- overflow before all is full ---


def early(from_load: float = 0.7, **more: object) -> CompiledPolicy:
    return dataclasses.replace(policy("anywhere"), from_load=from_load, **more)


def test_overflow_begins_before_home_is_full() -> None:
    seen = view(report("a", held=8, fits=2), report("b", "eu-west", held=1, fits=9))
    assert decide(seen, ask(), policy("anywhere")).codes == ("nearest_allowed",)
    decision = decide(seen, ask(), early())
    assert decision.winner is not None
    assert (decision.winner.node, decision.codes) == ("b", ("overflow_home_loaded",))
    told = explain(decision)
    assert (told.from_load, told.home_load) == (0.7, 0.8)
    assert [(row.node, row.reason, row.rank_class, row.region_load) for row in told.ranking] == [
        ("b", "winner", 0, 0.1), ("a", "home_spared", 1, 0.8),
    ]  # fmt: skip


def test_a_region_that_is_as_loaded_is_no_relief() -> None:
    seen = view(report("a", held=8, fits=2), report("b", "eu-west", held=7, fits=3))
    decision = decide(seen, ask(), early())
    assert [one.node for one in decision.candidates] == ["a", "b"]
    assert decision.codes == ("nearest_allowed",)
    full = view(report("a", held=10, fits=0), report("b", "eu-west", held=7, fits=3))
    assert decide(full, ask(), early()).codes == ("overflow_home_full",)


def test_early_overflow_keeps_to_the_policy() -> None:
    near = early(allowed=frozenset({"eu-central", "eu-west"}), overflow=frozenset())
    seen = view(report("a", held=9, fits=1), report("b", "eu-west", held=0, fits=10))
    decision = decide(seen, ask(), near)
    assert [one.node for one in decision.candidates] == ["a"]
    assert explain(decision).losers[0].reason == "not_overflow"


# --- price ---


def test_a_price_that_would_be_too_high_is_out_of_reach() -> None:
    cheap = dataclasses.replace(policy("anywhere"), max_added_cost_usd=0.4)
    seen = view(report("a", "eu-west", fits=0), report("b", "eu-central"), report("c", "ap-south"))
    decision = decide(seen, ask(), dataclasses.replace(cheap, preferred=frozenset({"eu-west"})))
    assert decision.home == "eu-west"
    rows = {row.node: row.reason for row in explain(decision).losers}
    assert PRICES["eu-central"] - PRICES["eu-west"] > 0.4
    assert rows == {"a": "full", "b": "too_costly"}
    assert decision.winner is not None
    assert decision.winner.node == "c"


@pytest.mark.parametrize(
    ("conservative", "slower_ms", "winner"),
    [(True, 4.0, "eu-west"), (True, 6.0, "eu-central"), (False, 6.0, "eu-west"),
     (False, 60.0, "eu-central")],
)  # fmt: skip
def test_money_chooses_among_equals_or_weighs_what_the_file_says(
    conservative: bool, slower_ms: float, winner: str
) -> None:
    """Of two overflow regions the cheaper one by half a dollar is slower by some milliseconds."""
    of = msgspec.structs.replace(world(), ranking=RankingRules(100.0, conservative=conservative))
    regions = {
        name: msgspec.structs.replace(region, place=MUMBAI) for name, region in of.regions.items()
    }
    known = Fleet(msgspec.structs.replace(of, regions=regions), 0.0)
    known.reported(report("home", "ap-south", fits=0), 10.0)
    known.reported(report("eu-central", "eu-central", step_p95_ms=5.0), 10.0)
    known.reported(report("eu-west", "eu-west", step_p95_ms=5.0 + slower_ms), 10.0)
    wins = Counter[str]()
    for number in range(100):
        decision = decide(
            known.view(10.0), ask(MUMBAI, draw=(number + 0.5) / 100), policy("anywhere")
        )
        assert decision.winner is not None
        wins[decision.winner.node] += 1
        assert decision.winner.price_ms == 100.0 * PRICES[decision.winner.region]
    assert wins.most_common(1)[0][0] == winner
    if abs(slower_ms - 4.0) > 1:
        assert set(wins) == {winner}


# --- the ramp ---


def test_a_recovered_node_gets_its_share_and_no_more() -> None:
    known = fleet([report("a"), report("b", seq=1)], now_s=10.0)
    for second in range(11, 21):
        known.reported(report("b", seq=second), float(second))
    known.reported(report("a", seq=2), 20.0)
    seen = known.view(20.0)
    assert seen.share.tolist() == [0.1, 1.0]
    wins = Counter[str]()
    for number in range(1000):
        ramp, draw = (number % 100 + 0.5) / 100, (number // 100 + 0.5) / 10
        winner = decide(seen, ask(ramp=ramp, draw=draw), policy()).winner
        assert winner is not None
        wins[winner.node] += 1
    assert 0 < wins["a"] <= 100


def test_a_recovered_home_region_fills_slowly_while_others_have_room() -> None:
    known = fleet([report("a"), report("b", "eu-west", seq=1)], now_s=10.0)
    for second in range(11, 21):
        known.reported(report("b", "eu-west", seq=second), float(second))
    known.reported(report("a", seq=2), 20.0)
    seen = known.view(20.0)
    away = decide(seen, ask(ramp=0.5), policy())
    assert [one.node for one in away.candidates] == ["b", "a"]
    assert (away.home, away.codes) == ("eu-central", ("overflow_home_unavailable",))
    assert explain(away).ranking[1].reason == "ramping"
    home = decide(seen, ask(ramp=0.05), policy())
    assert (home.codes, [one.node for one in home.candidates]) == (("nearest_allowed",), ["a", "b"])
    only = decide(seen, ask(ramp=0.5), policy("at-home"))
    assert only.winner is not None
    assert only.codes == ("nearest_allowed", "ramping_only")


# --- failure modes of others, as they were published ---


def test_panic_does_not_widen_the_set() -> None:
    """Envoy's panic threshold: where too few are healthy, traffic goes to all, healthy or not.

    Here nine of ten allowed nodes are gone, the last one is full, a whole continent stands empty
    outside of the policy: the session is refused, and no node that cannot take it is asked.
    """
    known = Fleet(world(), 0.0)
    for number in range(9):
        known.reported(report(f"n{number}", fits=4), 2.0)
    known.reported(report("n9", fits=0, held=10), 10.0)
    for number in range(50):
        known.reported(report(f"far{number}", "ap-south", held=0, fits=10), 10.0)
    decision = decide(known.view(10.0), ask(), policy("eu-only"))
    assert (decision.outcome, decision.candidates) == ("no_room", ())
    assert decision.codes == ("dead", "full")


def test_a_node_that_flaps_does_not_draw_callers_back_and_forth() -> None:
    """A health check that flaps makes others send all traffic back with the first good answer.

    A node that is reached every other minute never gets more than a tenth while others have room.
    """
    known = Fleet(world(), 0.0)
    wins, now_s = Counter[str](), 0.0
    for minute in range(60):
        for second in range(60):
            now_s += 1.0
            for name in "ab":
                known.reported(report(name, seq=round(now_s)), now_s)
            if second == 0 and minute:
                known.reached("a", now_s, reachable=minute % 2 == 0)
            if minute:
                ramp, draw = (second * 37 % 60 + 0.5) / 60, (second + 0.5) / 60
                winner = decide(known.view(now_s), ask(ramp=ramp, draw=draw), policy()).winner
                assert winner is not None
                wins[winner.node] += 1
    assert wins["a"] / wins.total() < 0.06  # half of the time it is out, else it has a tenth
    assert known.view(now_s).state_of("b") is State.READY


def test_load_around_the_line_does_not_move_callers_to_and_fro() -> None:
    """Without hysteresis each session that ends or begins at the line moves the next caller."""
    known = fleet([report("a", held=0, fits=20), report("b", "eu-west", held=0, fits=20)])
    homes = []
    for step, held in enumerate([13, 14, 15, 14, 15, 14, 15, 14, 13, 12, 14, 13], start=2):
        known.reported(report("a", seq=step, held=held, fits=20 - held), 10.0)
        winner = decide(known.view(10.0), ask(), early(0.75)).winner
        assert winner is not None
        homes.append(winner.region == "eu-central")
    assert homes == [True, True, *[False] * 6, True, True, True, True]


def test_the_play_is_the_views_and_not_the_decisions() -> None:
    """Two decisions on one view see one load, whoever asks; nothing is remembered in between."""
    known = fleet([report("a", held=15, fits=5), report("b", "eu-west", held=0, fits=20)])
    seen = known.view(10.0)
    first = decide(seen, ask(), early(0.75))
    decide(seen, ask(MUMBAI), early(0.05))
    assert decide(seen, ask(), early(0.75)).fingerprint == first.fingerprint


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0.05, 1))
def test_the_line_is_crossed_back_only_well_below_it(loads: list[float], line: float) -> None:
    said, over = np.array([loads[0]]), loads[0] >= line
    for load in loads[1:]:
        before, said = said, with_play(said, np.array([load]))
        assert load <= said[0] <= load + PLAY
        assert said[0] == before[0] or said[0] in (load, load + PLAY)
        if over and said[0] < line:
            assert load < line - PLAY + 1e-12
        if not over and said[0] >= line:
            assert load >= line
        over = bool(said[0] >= line)
