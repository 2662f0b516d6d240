"""Small fleets and asks whose right answer is worked out by hand from docs/placement.md."""

from typing import Any

import pytest

from prover.checker import Checker, Violation
from prover.checker.cost import rtt_ms
from prover.checker.world import read
from tests.support.small_world import OSLO, heard, rooms, text

ANY = "  p: {allow: [everywhere], overflow: {zones: [everywhere]%s}%s}"


def answer(
    node: str | None,
    home: str | None,
    codes: list[str],
    reasons: dict[str, str],
    ranking: list[tuple[str, str]] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    rows = [(node, home)] if ranking is None and node is not None else ranking or []
    said = {
        "outcome": "placed" if node else "no_room",
        "node": node,
        "region": rows[0][1] if rows else None,
        "home": home,
        "codes": codes,
        "reasons": reasons,
        "ranking": [{"node": name, "region": region} for name, region in rows],
    }
    return said | changes


class Case:
    """A checker that heard of some nodes, and what it says of answers."""

    def __init__(self, policies: str, rest: str, *events: dict[str, Any]) -> None:
        self.checker = Checker(text(policies, rest))
        for event in events:
            self.checker.heard(event)

    def kinds(self, said: dict[str, Any], now_s: float = 10.0, **ask: Any) -> set[str]:
        """The kinds of what is wrong, the parts of costs aside, which few answers here tell."""
        return {one.kind for one in self.wrong(said, now_s, **ask)} - {"cost"}

    def wrong(self, said: dict[str, Any], now_s: float = 10.0, **ask: Any) -> list[Violation]:
        asked = {
            "kind": "recognition", "language": "en", "model": None, "place": OSLO, "draw": 0.0,
            "ramp": 0.5, "without": (), **ask,
        }  # fmt: skip
        decision = {
            "now_s": now_s, "at_ms": 0, "policy": "p",
            "facts": {"tenant": "t", "data": "general", "language": "en", "countries": ()},
            "ask": asked, "effective": {}, "answer": said,
        }  # fmt: skip
        return self.checker.check(decision)


def full(node: str, region: str, **changes: Any) -> dict[str, Any]:
    return heard(node, region, 10.0, kinds=rooms(10, 0), **changes)


def test_a_round_trip_is_four_milliseconds_and_one_for_75_km() -> None:
    regions = read(text(ANY % ("", ""))).regions
    assert rtt_ms(59.91, 10.75, regions["oslo"]) == pytest.approx(4.0)
    assert rtt_ms(0.0, -77.49, regions["ashburn"]) == pytest.approx(4 + 39.04 * 111.1949 / 75)


def test_home_is_the_nearest_allowed_region() -> None:
    case = Case("  p: {allow: [union]}", "", heard("a", "oslo", 10.0), heard("b", "berlin", 10.0))
    right = answer("b", "berlin", ["nearest_allowed", "nearer_not_allowed"],
                   {"a": "not_allowed", "b": "winner"})  # fmt: skip
    assert case.kinds(right) == set()
    assert case.kinds({**right, "codes": ["nearest_allowed"]}) == {"codes"}
    wrong = answer("a", "oslo", ["nearest_allowed"], {"a": "winner", "b": "ranked_lower"})
    assert case.kinds(wrong) == {"unlawful", "home"}


def test_a_preferred_region_is_home_before_a_nearer_one() -> None:
    policy = ANY % ("", ", prefer: [union]")
    case = Case(policy, "", heard("a", "oslo", 10.0), heard("b", "berlin", 10.0))
    right = answer("b", "berlin", ["preferred"], {"a": "overflow_not_needed", "b": "winner"},
                   [("b", "berlin"), ("a", "oslo")])  # fmt: skip
    assert case.kinds(right) == set()
    assert case.kinds({**right, "home": "oslo"}) == {"home"}


@pytest.mark.parametrize(
    ("changes", "ask", "reason"),
    [
        ({"kinds": {"synthesis": {"held": 0, "fits": 1}}}, {}, "no_kind"),
        ({"languages": ["hi"]}, {}, "no_language"),
        ({}, {"model": "large"}, "no_model"),
        ({"healthy": False}, {}, "unwell"),
        ({"draining": True}, {}, "draining"),
        ({"tier": "warm"}, {}, "not_hot"),
        ({"kinds": rooms(10, 0)}, {}, "full"),
        ({}, {"without": ("a",)}, "excluded"),
        ({}, {"at": 13.5}, "stale"),
        ({}, {"at": 15.5}, "dead"),
    ],
)
def test_why_a_node_cannot(changes: dict[str, Any], ask: dict[str, Any], reason: str) -> None:
    case = Case(ANY % ("", ""), "", heard("a", "oslo", 10.0, **changes))
    now_s = ask.pop("at", 10.0)
    lacking = reason in ("no_kind", "no_language", "no_model")
    outcome = "not_allowed" if lacking else "no_room"
    home = None if lacking or reason == "dead" else "oslo"
    right = answer(None, home, [reason], {"a": reason}, outcome=outcome)
    assert case.kinds(right, now_s, **ask) == set()
    assert "reason" in case.kinds({**right, "reasons": {"a": "conflict"}}, now_s, **ask)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ("", "winner"),
        (", max_added_rtt_ms: 5", "too_far"),
        (", max_added_cost_usd: 0.2", "too_costly"),
        (", max_added_cost_usd: 0.3", "winner"),  # 1.2 - 0.9 comes to 0.29999999999999993
        (", max_added_rtt_ms: 5, max_added_cost_usd: 0.2", "too_far"),
    ],
)
def test_overflow_goes_as_far_and_is_as_dear_as_the_policy_bears(limits: str, reason: str) -> None:
    case = Case(ANY % (limits, ""), "", full("a", "oslo"), heard("b", "berlin", 10.0))
    if reason == "winner":
        right = answer("b", "oslo", ["overflow_home_full"], {"a": "full", "b": "winner"},
                       [("b", "berlin")])  # fmt: skip
    else:
        right = answer(None, "oslo", ["full", reason], {"a": "full", "b": reason})
    assert case.kinds(right) == set()


def test_overflow_outside_of_its_zones_is_refused_in_a_panic_too() -> None:
    policy = "  p: {allow: [everywhere], overflow: {zones: [union]}}"
    case = Case(policy, "", full("a", "oslo"), full("b", "berlin"), heard("c", "ashburn", 10.0))
    reasons = {"a": "full", "b": "full", "c": "not_overflow"}
    assert case.kinds(answer(None, "oslo", ["full", "not_overflow"], reasons)) == set()
    panic = answer("c", "oslo", ["overflow_home_full"], reasons | {"c": "winner"},
                   [("c", "ashburn")])  # fmt: skip
    assert case.kinds(panic) == {"placed", "reason"}


@pytest.mark.parametrize(("held", "spills"), [(6, False), (7, True), (8, True)])
def test_a_home_at_its_threshold_spills_to_a_region_below_it(held: int, spills: bool) -> None:
    case = Case(
        ANY % (", from_load: 0.7", ""), "",
        heard("a", "oslo", 10.0, kinds=rooms(held, 10 - held)),
        heard("b", "berlin", 10.0, kinds=rooms(3, 7)),
        heard("c", "paris", 10.0, kinds=rooms(7, 3)),
    )  # fmt: skip
    at_home = answer(
        "a", "oslo", ["nearest_allowed"],
        {"a": "winner", "b": "overflow_not_needed", "c": "overflow_not_needed"},
        [("a", "oslo"), ("b", "berlin"), ("c", "paris")],
    )  # fmt: skip
    spilt = answer(
        "b", "oslo", ["overflow_home_loaded"],
        {"a": "home_spared", "b": "winner", "c": "ranked_lower"},
        [("b", "berlin"), ("a", "oslo"), ("c", "paris")],
    )  # fmt: skip
    assert case.kinds(spilt if spills else at_home) == set()
    assert case.kinds(at_home if spills else spilt) == {"winner"}


def test_a_node_that_recovers_stands_back_and_refuses_nobody() -> None:
    back = heard("a", "oslo", 10.0, seq=2)
    case = Case(ANY % ("", ""), "", heard("a", "oslo", 9.0, healthy=False), back,
                heard("b", "berlin", 10.0))  # fmt: skip
    stood_back = answer("b", "oslo", ["overflow_home_unavailable"],
                        {"a": "ramping", "b": "winner"},
                        [("b", "berlin"), ("a", "oslo")])  # fmt: skip
    taken = answer("a", "oslo", ["nearest_allowed"], {"a": "winner", "b": "overflow_not_needed"},
                   [("a", "oslo"), ("b", "berlin")])  # fmt: skip
    assert case.kinds(stood_back, ramp=0.1) == set()
    assert case.kinds(taken, ramp=0.09) == set()
    assert case.kinds(taken, ramp=0.1) == {"winner"}
    case.checker.heard(full("b", "berlin", seq=2))
    alone = answer("a", "oslo", ["nearest_allowed", "ramping_only"],
                   {"a": "winner", "b": "full"})  # fmt: skip
    assert case.kinds(alone, ramp=0.9) == set()


def slow(node: str, step_ms: float, region: str = "oslo") -> dict[str, Any]:
    return heard(node, region, 10.0, step_p95_ms=step_ms, kinds=rooms(0, 10))


@pytest.mark.parametrize(
    ("draw", "winner", "spread"), [(0.0, "a", False), (0.99, "b", True), (0.6, "a", False)]
)
def test_two_are_drawn_from_those_that_are_as_good(draw: float, winner: str, spread: bool) -> None:
    """0.6 of two draws the second first and the first second: the cheaper of them wins."""
    case = Case(ANY % ("", ""), "", slow("a", 2.0), slow("b", 7.0), slow("c", 7.1))
    codes = ["nearest_allowed", *(["load_spread"] if spread else [])]
    order = [winner, *(name for name in "abc" if name != winner)]
    reasons = dict.fromkeys("abc", "ranked_lower") | {winner: "winner"}
    right = answer(winner, "oslo", codes, reasons, [(name, "oslo") for name in order])
    assert case.kinds(right, draw=draw) == set()
    wrong = right | {"node": "c"}
    assert case.kinds(wrong, draw=draw) == {"winner"}


@pytest.mark.parametrize(("conservative", "winner"), [("true", "near"), ("false", "far")])
def test_money_outweighs_milliseconds_only_where_it_may(conservative: str, winner: str) -> None:
    """Paris is 7 ms further from Oslo than Berlin, and its hour costs 0.4 usd less."""
    rest = f"ranking: {{cost_ms_per_usd: 100, conservative: {conservative}}}"
    case = Case(ANY % ("", ""), rest, full("home", "oslo"), heard("near", "berlin", 10.0),
                heard("far", "paris", 10.0))  # fmt: skip
    other = "far" if winner == "near" else "near"
    where = {"near": "berlin", "far": "paris"}
    right = answer(
        winner, "oslo", ["overflow_home_full"],
        {"home": "full", winner: "winner", other: "ranked_lower"},
        [(winner, where[winner]), (other, where[other])],
    )  # fmt: skip
    assert case.kinds(right) == set()


def test_money_chooses_among_those_that_are_as_good() -> None:
    """b is a millisecond slower than a, and stands where an hour costs less."""
    rest = "ranking: {cost_ms_per_usd: 100}"
    file = text(ANY % ("", ""), rest).replace("lat: 48.86, lon: 2.35", "lat: 52.52, lon: 13.40")
    checker = Checker(file)
    case = Case(ANY % ("", ""), rest)
    case.checker = checker
    for event in (full("home", "oslo"), slow("a", 2.0, "berlin"), slow("b", 3.0, "paris")):
        checker.heard(event)
    reasons = {"home": "full", "a": "ranked_lower", "b": "winner"}
    cheap = answer("b", "oslo", ["overflow_home_full", "load_spread"], reasons,
                   [("b", "paris"), ("a", "berlin")])  # fmt: skip
    assert case.kinds(cheap, draw=0.3) == set()  # the first, then the second is drawn
    assert case.kinds(cheap, draw=0.0) == {"winner"}  # twice the first


def test_a_ranking_out_of_order_is_told() -> None:
    case = Case(ANY % ("", ""), "", slow("a", 2.0), slow("b", 30.0), slow("c", 60.0))
    reasons = {"a": "winner", "b": "ranked_lower", "c": "ranked_lower"}
    rows = [("a", "oslo"), ("c", "oslo"), ("b", "oslo")]
    assert case.kinds(answer("a", "oslo", ["nearest_allowed"], reasons, rows)) == {"ranking"}
    assert case.kinds(answer("a", "oslo", ["nearest_allowed"], reasons, rows[:1])) == {"ranking"}


@pytest.mark.parametrize(
    ("part", "due"),
    [("rtt_ms", 4.0), ("step_ms", 6.0), ("queue_ms", 12.0), ("load_ms", 5.0), ("history_ms", 10.0),
     ("price_ms", 18.0), ("cost_ms", 37.0), ("held", 5), ("fits", 5), ("queue", 16), ("share", 1.0),
     ("stands_back", False)],
)  # fmt: skip
def test_every_part_of_a_cost_is_looked_at(part: str, due: float) -> None:
    """One seat was not answered; 37 is the sum without the price, as money may not weigh."""
    node = {"kinds": rooms(4, 5), "reserved": 1, "step_p95_ms": 6.0, "queue": 16}
    case = Case(
        ANY % ("", ""), "ranking: {cost_ms_per_usd: 20}",
        heard("a", "oslo", 9.0, **node),
        {"do": "ask", "at_s": 9.0, "node": "a", "seat": 1, "kind": "recognition"},
        {"do": "answer", "at_s": 9.0, "node": "a", "seat": 1, "answer": "silent", "taken": 0},
        heard("a", "oslo", 10.0, **node, seq=2),
    )  # fmt: skip
    said = answer("a", "oslo", ["nearest_allowed"], {"a": "winner"})
    parts = {"rtt_ms": 4.0, "step_ms": 6.0, "queue_ms": 12.0, "load_ms": 5.0, "history_ms": 10.0,
             "price_ms": 18.0}  # fmt: skip
    said["ranking"][0] |= {**parts, part: due}
    assert case.wrong(said) == []
    said["ranking"][0] |= {part: not due if part == "stands_back" else due + 0.01}
    assert [one.kind for one in case.wrong(said)] == ["cost"]


def test_only_the_ranking_is_asked_in_its_order() -> None:
    case = Case(ANY % ("", ""), "")
    said = answer("a", "oslo", [], {}, [("a", "oslo"), ("b", "oslo")])
    assert case.checker.asked(said, ["a", "b"]) == []
    assert case.checker.asked(said, ["b"])
    assert case.checker.asked(said, ["a", "b", "c"])


def test_who_is_refused_by_his_policy_does_not_look_at_the_fleet() -> None:
    """A look would take in how loaded berlin is by now."""
    case = Case("  p: {allow: [everywhere], until: 2026-01-01}", "", heard("b", "berlin", 10.0))
    fleet = case.checker._fleet
    fleet.looked(10.0)
    case.checker.heard(heard("b", "berlin", 11.0, seq=2, kinds=rooms(8, 2)))
    facts = {"tenant": "t", "data": "general", "language": "en", "countries": ()}
    late = {"now_s": 11.0, "at_ms": 1_767_225_600_000, "policy": "p", "facts": facts}
    assert case.checker.check({**late, "refused": "policy_not_in_effect"}) == []
    assert fleet.load("berlin", "recognition") == pytest.approx(0.4)
    kinds = {one.kind for one in case.checker.check({**late, "refused": None})}
    assert kinds == {"policy_period"}


def test_an_empty_allowed_set_refuses_even_while_the_fleet_settles() -> None:
    rest = "rules:\n  r: {forbid: [everywhere], may_refuse: true}"
    case = Case(ANY % ("", ""), rest, heard("a", "oslo", 1.0))
    right = answer(None, None, ["no_node_allowed"], {"a": "not_allowed"}, outcome="not_allowed")
    assert case.kinds(right, 1.0) == set()


def test_a_fleet_that_settles_says_so() -> None:
    case = Case("  p: {allow: [union]}", "", heard("a", "oslo", 1.0))
    settling = answer(None, None, ["fleet_settling"], {"a": "not_allowed"})
    settled = answer(None, None, ["no_node_allowed"], {"a": "not_allowed"}, outcome="not_allowed")
    assert case.kinds(settling, 2.9) == set()
    assert case.kinds(settled, 3.0) == set()
    assert case.kinds(settled, 2.9) == {"outcome"}
