import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.fleet import Fleet, State
from control_plane.fleet.atlas import Atlas
from control_plane.fleet.columns import FORGET_S
from heliovox.protocol.messages import Place
from shared.capacity import KindRoom
from shared.geography import rtt_ms
from shared.regions.model import Region, World
from shared.subjects import report as report_subject
from tests.support.fleets import PARIS, any_report, fleet, report, view, world


def fits(of: Fleet, now_s: float, kind: str = "recognition", node: str = "a") -> int:
    seen = of.view(now_s)
    return int(seen.fits[seen.roster.kinds.index(kind), seen.roster.index[node]])


# --- numbers of views ---


def test_a_view_has_a_new_number_only_when_something_that_matters_changed() -> None:
    known = fleet([report(seq=1)])
    first = known.view(10.0)
    assert known.reported(report(seq=2, at_ms=99, step_p50_ms=4.0), 10.5).code == "beat"
    assert known.view(10.5) is first
    assert known.reported(report(seq=3, fits=3), 11.0).code == "applied"
    assert known.view(11.0).number == first.number + 1


@pytest.mark.parametrize(
    "change",
    [
        {"fits": 3}, {"held": 5}, {"limit": 9}, {"reserved": 1}, {"step_p95_ms": 6.0}, {"queue": 1},
        {"tier": "warm"}, {"draining": True}, {"healthy": False}, {"languages": ("en", "hi")},
        {"models": ()}, {"voices": ("otto",)}, {"url": "ws://elsewhere"}, {"boot": "b2"},
        {"kinds": {"recognition": KindRoom(6, 4)}},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_decisions_depend_on_gives_a_new_view(change: dict[str, object]) -> None:
    known = fleet([report(seq=1)])
    before = known.view(10.0).number
    assert known.reported(report(seq=2, **change), 10.5).code == "applied"
    assert known.view(10.5).number > before


def test_a_view_once_taken_never_changes() -> None:
    known = fleet([report(fits=4), report("b")])
    before = known.view(10.0)
    known.reported(report(seq=2, fits=1), 10.5)
    known.reported(report("c"), 10.5)
    known.view(10.5)
    assert before.nodes == ("a", "b")
    assert before.fits[before.roster.kinds.index("recognition")].tolist() == [4, 4]


# --- states ---


def test_silence_makes_stale_after_three_seconds_and_dead_after_five() -> None:
    known = fleet([report()], now_s=10.0)
    seen = [(s, known.view(s).state_of("a")) for s in (13.0, 13.001, 15.0, 15.001)]
    assert [state for _, state in seen] == [State.READY, State.STALE, State.STALE, State.DEAD]
    known.reported(report(seq=2), 16.0)
    assert known.view(16.0).state_of("a") is State.READY


def test_a_stale_node_that_reports_again_is_ready_at_once() -> None:
    known = fleet([report()], now_s=10.0)
    assert known.view(14.0).state_of("a") is State.STALE
    assert known.reported(report(seq=2), 14.5).code == "applied"
    assert known.view(14.5).state_of("a") is State.READY


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["report", "look"]), st.floats(0.0, 3.0)),
        max_size=30,
    )
)
def test_states_do_not_depend_on_when_somebody_looked(
    steps: list[tuple[str, str, float]],
) -> None:
    """One fleet is looked at all the time, its twin only at the end: both see the same."""
    looked_at, twin = Fleet(world(), 0.0), Fleet(world(), 0.0)
    now_s = 0.0
    for seq, (node, what, passed_s) in enumerate(steps):
        now_s += passed_s
        if what == "report":
            for each in (looked_at, twin):
                each.reported(report(node, seq=seq), now_s)
        looked_at.view(now_s)
    assert looked_at.view(now_s).nodes == twin.view(now_s).nodes
    assert looked_at.view(now_s).state.tolist() == twin.view(now_s).state.tolist()
    assert looked_at.view(now_s).settled == twin.view(now_s).settled == (now_s >= 3.0)


@pytest.mark.parametrize(
    ("change", "state"),
    [({"draining": True}, State.DRAINING), ({"healthy": False}, State.UNWELL)],
    ids=str,
)
def test_what_a_node_says_of_itself(change: dict[str, object], state: State) -> None:
    assert view(report(**change)).state_of("a") is state


def test_goodbye_removes_at_once_and_for_good() -> None:
    known = fleet([report(seq=1), report("b")])
    assert known.reported(report(seq=2, goodbye=True), 11.0).code == "removed"
    assert known.view(11.0).nodes == ("b",)
    assert known.reported(report(seq=3), 11.1).code == "gone"
    assert known.view(11.1).nodes == ("b",)
    assert known.reported(report(boot="b2"), 11.2).code == "applied"
    assert known.view(11.2).nodes == ("a", "b")


def test_the_dead_are_shown_for_a_while_and_then_forgotten() -> None:
    known = fleet([report()], now_s=10.0)
    assert [row.state for row in known.nodes(10.0 + FORGET_S)] == ["dead"]
    assert known.nodes(10.1 + FORGET_S) == ()


# --- order, boots, names ---


def test_a_report_older_than_the_last_is_ignored() -> None:
    known = fleet([report(seq=5, fits=1)])
    assert known.reported(report(seq=4, fits=9), 11.0).code == "out_of_order"
    assert known.reported(report(seq=5, fits=9), 11.0).code == "out_of_order"
    assert fits(known, 11.0) == 1


def test_a_node_that_was_started_again_is_no_conflict() -> None:
    known = fleet([report(seq=50)])
    assert known.reported(report(boot="b2", seq=1), 10.5).code == "applied"
    assert known.view(10.5).state_of("a") is State.READY


def test_two_boots_at_once_are_a_conflict_until_one_has_been_alone_for_three_seconds() -> None:
    known = fleet([report(seq=1)], now_s=10.0)
    known.reported(report(boot="b2", seq=1), 10.5)
    assert known.reported(report(seq=2), 11.0).code == "other_boot"
    states = []
    for second in range(1, 6):
        known.reported(report(boot="b2", seq=1 + second), 10.5 + second)
        states.append(known.view(10.5 + second).state_of("a"))
    assert states == [State.CONFLICT] * 3 + [State.READY] * 2
    seen = known.view(15.5)
    assert seen.roster.boots == ("b2",)


def test_whichever_boot_is_left_alone_speaks_for_the_name() -> None:
    """Also the older one: the newer may have been a mistake that was undone."""
    known = fleet([report(seq=1)], now_s=10.0)
    known.reported(report(boot="b2", seq=1), 10.5)
    for second in range(1, 7):
        known.reported(report(seq=1 + second), 10.5 + second)
    seen = known.view(16.5)
    assert seen.roster.boots == ("b1",)
    assert seen.state_of("a") is State.READY


def test_a_conflict_lasts_as_long_as_both_report() -> None:
    known = fleet([report(seq=1)], now_s=10.0)
    for tenth in range(1, 100):
        boot = "b2" if tenth % 2 else "b1"
        known.reported(report(boot=boot, seq=1 + tenth), 10.0 + tenth / 10)
        if tenth > 1:
            assert known.view(10.0 + tenth / 10).state_of("a") is State.CONFLICT


def test_the_goodbye_of_another_boot_ends_no_node() -> None:
    known = fleet([report(seq=1)])
    known.reported(report(boot="b2", seq=1), 10.5)
    assert known.reported(report(seq=2, goodbye=True), 11.0).code == "other_boot"
    assert known.view(11.0).state_of("a") is State.READY


def test_a_node_does_not_change_its_region_while_it_lives() -> None:
    known = fleet([report()])
    heard = known.reported(report(seq=2, region="ap-south"), 11.0)
    assert (heard.code, heard.error and heard.error.field) == ("region_changed", "region")
    assert known.nodes(11.0)[0].region == "eu-central"
    assert known.reported(report(boot="b2", region="ap-south"), 16.0).code == "applied"
    assert known.nodes(16.0)[0].region == "ap-south"


def test_the_nodes_clock_is_only_compared() -> None:
    known = fleet([])
    known.reported(report(at_ms=130_000), 10.0, wall_s=100.0)
    assert known.nodes(10.0)[0].clock_skew_s == 30.0
    assert known.view(10.0).state_of("a") is State.READY


# --- what is not believed ---


@pytest.mark.parametrize(
    "change",
    [
        {"held": -1}, {"fits": -1}, {"fits": 10**9}, {"limit": -3}, {"reserved": -1}, {"queue": -1},
        {"queue": 10**18}, {"step_p95_ms": math.nan}, {"step_p95_ms": math.inf},
        {"step_p50_ms": -0.1}, {"seq": -1}, {"at_ms": 10**30}, {"node": "A.*"}, {"node": ""},
        {"region": "eu central"}, {"boot": ""}, {"boot": "b" * 65}, {"url": "http://x"},
        {"url": "ws://" + "x" * 600}, {"languages": ("en",) * 257}, {"models": ("",)},
        {"models": ("m" * 129,)}, {"kinds": {f"k{n}": KindRoom(0, 1) for n in range(17)}},
        {"tier": "lukewarm"},
    ],
    ids=lambda change: str(change)[:40],
)  # fmt: skip
@pytest.mark.parametrize("reported_before", ["z", "a"])
def test_numbers_and_names_that_cannot_be_are_refused(
    reported_before: str, change: dict[str, object]
) -> None:
    known = fleet([report(reported_before)])
    before = known.view(10.0)
    heard = known.reported(report(**{"seq": 2, **change}), 10.0)
    assert heard.code == "malformed"
    assert heard.error is not None
    assert heard.error.field is not None
    assert heard.error.remedy is not None
    assert known.view(10.0) is before


def test_a_region_that_the_world_lacks_is_refused() -> None:
    assert fleet([]).reported(report(region="atlantis"), 10.0).code == "unknown_region"


@given(st.binary(max_size=60) | any_report("a", world()).map(msgspec.json.encode))
def test_no_bytes_break_the_tracker(data: bytes) -> None:
    known = fleet([report("z")])
    known.heard(report_subject("eu-central", "a"), data, 11.0)
    known.heard(report_subject("eu-central", "a"), data[:-1], 11.0)
    assert known.view(11.0).state_of("z") is State.READY


def test_a_report_names_the_node_that_sent_it() -> None:
    known = fleet([report("victim")])
    forged = msgspec.json.encode(report("victim", seq=9, fits=0, goodbye=True))
    heard = known.heard(report_subject("eu-central", "thief"), forged, 11.0)
    assert heard.code == "not_its_name"
    assert known.view(11.0).nodes == ("victim",)
    assert known.heard(report_subject("eu-central", "victim"), forged, 11.0).code == "removed"


def test_so_many_nodes_and_no_more_but_the_dead_make_way() -> None:
    known = Fleet(world(), 0.0, most_nodes=2)
    assert known.reported(report("a"), 10.0).code == "applied"
    assert known.reported(report("b"), 12.0).code == "applied"
    assert known.reported(report("c"), 13.0).code == "fleet_full"
    assert known.reported(report("c"), 15.5).code == "applied"
    assert known.view(15.5).nodes == ("b", "c")


# --- seats asked for since the last report ---


def test_a_seat_that_is_asked_for_counts_at_once() -> None:
    known = fleet([report(fits=4)])
    hold = known.held_back("a", "recognition", 10.1)
    assert hold is not None
    assert fits(known, 10.1) == 3
    assert fits(known, 10.1, "synthesis") == 6  # a quarter of what was left is gone
    known.refused(hold, "unsupported")
    assert fits(known, 10.1) == 4
    assert known.held_back("nobody", "recognition", 10.1) is None


def test_a_granted_seat_is_counted_once_when_the_report_comes_first() -> None:
    """The node's report may overtake its answer; both speak of one seat."""
    known = fleet([report(seq=1, fits=4, held=6)])
    hold = known.held_back("a", "recognition", 10.1)
    known.reported(report(seq=2, fits=3, held=6, reserved=1), 10.2)
    assert hold is not None
    known.granted(hold, taken=7)
    assert fits(known, 10.2) == 3


def test_a_granted_seat_is_counted_once_when_the_answer_comes_first() -> None:
    known = fleet([report(seq=1, fits=4, held=6)])
    hold = known.held_back("a", "recognition", 10.1)
    assert hold is not None
    known.granted(hold, taken=7)
    assert fits(known, 10.1) == 3
    known.reported(report(seq=2, fits=3, held=6, reserved=1), 10.2)
    assert fits(known, 10.2) == 3


def test_a_hold_that_nobody_followed_up_is_forgotten() -> None:
    known = fleet([report(seq=1, fits=4)])
    known.held_back("a", "recognition", 10.1)
    known.reported(report(seq=2, fits=4), 10.9)
    assert fits(known, 10.9) == 3
    known.reported(report(seq=3, fits=4), 11.9)
    assert fits(known, 11.9) == 4


def test_a_node_that_does_not_answer_is_stale_until_it_reports() -> None:
    known = fleet([report(seq=1, fits=4)])
    hold = known.held_back("a", "recognition", 10.1)
    assert hold is not None
    known.silent(hold)
    assert known.view(10.2).state_of("a") is State.STALE
    known.reported(report(seq=2, fits=4), 10.9)
    assert known.view(10.9).state_of("a") is State.READY
    assert fits(known, 10.9) == 4


@pytest.mark.parametrize("code", ["node_full", "node_draining"])
def test_a_refusal_is_believed_until_the_next_report(code: str) -> None:
    known = fleet([report(seq=1, fits=4)])
    hold = known.held_back("a", "recognition", 10.1)
    assert hold is not None
    known.refused(hold, code)
    seen = known.view(10.2)
    assert (fits(known, 10.2) == 0) == (code == "node_full")
    assert (seen.state_of("a") is State.DRAINING) == (code == "node_draining")
    known.reported(report(seq=2, fits=4), 10.9)
    assert fits(known, 10.9) == 4
    assert known.view(10.9).state_of("a") is State.READY


def test_answers_of_an_earlier_boot_say_nothing() -> None:
    known = fleet([report(seq=1, fits=4)])
    hold = known.held_back("a", "recognition", 10.1)
    assert hold is not None
    known.reported(report(boot="b2", seq=1, fits=4), 10.2)
    known.silent(hold)
    known.refused(hold, "node_full")
    known.granted(hold)
    assert fits(known, 10.2) == 4
    assert known.view(10.2).state_of("a") is State.READY


# --- rows for operators, another world ---


def test_rows_say_what_nodes_said() -> None:
    known = fleet([report(fits=4, held=6, reserved=1), report("b", "eu-west", draining=True)])
    a, b = known.nodes(12.0)
    assert (a.node, a.region, a.state, a.held, a.reserved, a.age_s) == (
        "a", "eu-central", "ready", 6, 1, 2.0,
    )  # fmt: skip
    assert a.fits == {"recognition": 4, "synthesis": 8}
    assert b.state == "draining"


def test_every_region_has_a_row_and_only_ready_nodes_have_room() -> None:
    known = fleet([report(fits=4), report("b", fits=1), report("c", "eu-west", draining=True)])
    rows = {row.region: row for row in known.regions(10.0)}
    assert list(rows) == ["ap-south", "eu-central", "eu-west", "sa-east"]
    assert (rows["eu-central"].nodes, rows["eu-central"].fits["recognition"]) == (2, 5)
    assert (rows["eu-west"].nodes, rows["eu-west"].ready, rows["eu-west"].fits) == (1, 0, {})
    assert rows["eu-central"].zones == ("eu", "everywhere")
    assert rows["sa-east"].nodes == 0


def test_another_world_forgets_the_nodes_of_regions_that_it_lacks() -> None:
    known = fleet([report(), report("b", "ap-south")])
    old = world()
    regions = {name: region for name, region in old.regions.items() if name != "ap-south"}
    known.use(msgspec.structs.replace(old, version="v2", regions=regions))
    assert known.view(10.0).nodes == ("a",)
    assert known.view(10.0).in_service == ("eu-central",)
    assert known.reported(report("b", "ap-south", seq=2), 10.5).code == "unknown_region"


def test_dead_regions_are_not_in_service() -> None:
    known = fleet([report()], now_s=10.0)
    known.reported(report("b", "eu-west"), 14.0)
    assert known.view(14.0).in_service == ("eu-central", "eu-west")
    assert known.view(15.1).in_service == ("eu-west",)
    assert known.view(15.1).roster.atlas.rtt_ms(PARIS).shape == (4,)


@given(
    st.builds(Place, st.floats(-90, 90), st.floats(-180, 180)),
    st.lists(st.builds(Place, st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=9),
)
def test_round_trips_are_those_of_nodes_to_the_last_digit(caller: Place, at: list[Place]) -> None:
    """Else a node and the centre could each hold the other's region for a caller's home."""
    regions = {str(n): Region(str(n), place, "UTC", "x") for n, place in enumerate(at)}
    row = Atlas(World("v", regions, {}, {}, "")).rtt_ms(caller)
    assert row.tolist() == [rtt_ms(caller, place) for place in at]
