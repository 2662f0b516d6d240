"""What is made of what nodes say, by small cases worked out by hand from docs/placement.md."""

from typing import Any

import pytest

from prover.checker.fleet import Fleet
from prover.checker.world import read
from tests.support.small_world import heard, rooms, text

KIND = "recognition"


def fleet(*events: dict[str, Any], policies: str = "  p: {allow: [everywhere]}") -> Fleet:
    made = Fleet(read(text(policies)), 0.0)
    for event in events:
        made.heard(event)
    return made


def states(made: Fleet, now_s: float) -> dict[str, str]:
    made.looked(now_s)
    return {one.name: one.state for one in made.seen(KIND, now_s)}


@pytest.mark.parametrize(
    ("now_s", "state"),
    [(13.0, "ready"), (13.01, "stale"), (15.0, "stale"), (15.01, "dead"), (310.0, "dead")],
)
def test_a_silent_node_is_stale_then_dead(now_s: float, state: str) -> None:
    assert states(fleet(heard("a", "oslo", 10.0)), now_s) == {"a": state}


def test_a_long_dead_node_is_forgotten() -> None:
    assert states(fleet(heard("a", "oslo", 10.0)), 310.01) == {}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"draining": True}, "draining"),
        ({"healthy": False, "draining": True}, "unwell"),
        ({"tier": "warm"}, "ready"),
    ],
)
def test_a_node_says_how_it_is(changes: dict[str, Any], state: str) -> None:
    assert states(fleet(heard("a", "oslo", 10.0, **changes)), 10.0) == {"a": state}


def test_a_goodbye_removes_at_once_and_its_boot_is_not_heard_again() -> None:
    made = fleet(heard("a", "oslo", 10.0), heard("a", "oslo", 11.0, seq=2, goodbye=True))
    assert states(made, 11.0) == {}
    made.heard(heard("a", "oslo", 11.5, seq=3))
    assert states(made, 11.5) == {}
    made.heard(heard("a", "oslo", 12.0, boot="b2"))
    assert states(made, 12.0) == {"a": "ready"}


def test_a_later_boot_takes_over_and_an_earlier_one_contradicts_it() -> None:
    made = fleet(heard("a", "oslo", 10.0), heard("a", "oslo", 11.0, boot="b2"))
    assert states(made, 11.0) == {"a": "ready"}
    made.heard(heard("a", "oslo", 12.0, seq=2))
    assert states(made, 12.0) == {"a": "conflict"}
    made.heard(heard("a", "oslo", 14.9, boot="b2", seq=2))
    assert states(made, 14.9) == {"a": "conflict"}
    assert states(made, 15.0) == {"a": "ready"}


def test_an_overtaken_report_says_nothing() -> None:
    made = fleet(heard("a", "oslo", 10.0, seq=5), heard("a", "oslo", 12.0, seq=4, draining=True))
    assert states(made, 12.0) == {"a": "ready"}
    assert states(made, 13.5) == {"a": "stale"}


@pytest.mark.parametrize(
    "changes",
    [{"region": "nowhere"}, {"region": "berlin"}, {"limit": -1}, {"tier": "tepid"},
     {"kinds": rooms(-1, 3)}, {"step_p95_ms": -1.0}],
)  # fmt: skip
def test_what_cannot_be_is_not_believed(changes: dict[str, Any]) -> None:
    made = fleet(heard("a", "oslo", 10.0))
    made.heard(heard("a", changes.pop("region", "oslo"), 11.0, seq=2, **changes))
    assert states(made, 13.5) == {"a": "stale"}


def ask(seat: int, at_s: float = 10.0, kind: str = KIND) -> dict[str, Any]:
    return {"do": "ask", "at_s": at_s, "node": "a", "seat": seat, "kind": kind}


def answer(seat: int, said: str, taken: int = 0, at_s: float = 10.0) -> dict[str, Any]:
    return {"do": "answer", "at_s": at_s, "node": "a", "seat": seat, "answer": said,
            "taken": taken}  # fmt: skip


def room(made: Fleet, kind: str = KIND) -> int:
    return made.nodes["a"].room(kind)


def test_a_seat_that_is_asked_for_is_taken_off_also_from_other_kinds() -> None:
    made = fleet(heard("a", "oslo", 10.0), ask(1))
    assert (room(made), room(made, "synthesis")) == (5, 10)
    made.heard(ask(2, kind="synthesis"))
    assert (room(made), room(made, "synthesis")) == (4, 9)  # 5 less a tenth of 5, rounded up


def test_a_granted_seat_is_counted_until_a_report_counts_it() -> None:
    made = fleet(heard("a", "oslo", 10.0), ask(1), answer(1, "granted", 5))
    assert room(made) == 5
    made.heard(heard("a", "oslo", 10.1, seq=2, kinds=rooms(5, 5)))
    assert room(made) == 5


def test_an_unanswered_seat_is_counted_for_a_second_and_a_half() -> None:
    made = fleet(heard("a", "oslo", 10.0), ask(1))
    made.heard(heard("a", "oslo", 11.0, seq=2))
    assert room(made) == 5
    made.heard(heard("a", "oslo", 11.5, seq=3))
    assert room(made) == 6


@pytest.mark.parametrize(
    ("said", "state", "left"),
    [("node_full", "ready", 0), ("node_draining", "draining", 6), ("silent", "stale", 6),
     ("released", "ready", 6), ("node_failed", "ready", 6)],
)  # fmt: skip
def test_a_refusal_is_believed_until_the_next_report(said: str, state: str, left: int) -> None:
    made = fleet(heard("a", "oslo", 10.0), ask(1), answer(1, said))
    assert (states(made, 10.0), room(made)) == ({"a": state}, left)
    made.heard(heard("a", "oslo", 11.0, seq=2))
    assert (states(made, 11.0), room(made)) == ({"a": "ready"}, 6)


def share(made: Fleet, now_s: float) -> float:
    return made.nodes["a"].share(now_s)


@pytest.mark.parametrize(
    ("after_s", "due"), [(0.0, 0.1), (299.9, 0.1), (300.0, 0.5), (899.9, 0.5), (900.0, 1.0)]
)
def test_a_node_that_was_dead_takes_a_tenth_then_half_of_its_share(
    after_s: float, due: float
) -> None:
    made = fleet(heard("a", "oslo", 10.0), heard("a", "oslo", 20.0, seq=2))
    assert share(made, 20.0 + after_s) == due


def test_a_ramp_begins_anew_with_a_relapse() -> None:
    made = fleet(heard("a", "oslo", 10.0, healthy=False), heard("a", "oslo", 11.0, seq=2))
    assert share(made, 11.0) == 0.1
    for at_s, healthy in ((13.0, False), (15.0, True)):
        made.heard(heard("a", "oslo", at_s, seq=int(at_s), healthy=healthy))
    assert (share(made, 314.0), share(made, 315.0)) == (0.1, 0.5)


def test_it_begins_when_the_node_would_take_sessions_again() -> None:
    made = fleet(heard("a", "oslo", 10.0, healthy=False))
    made.heard(heard("a", "oslo", 12.0, seq=2, draining=True))
    assert share(made, 12.0) == 1.0
    made.heard(heard("a", "oslo", 14.0, seq=3))
    assert share(made, 313.9) == 0.1


@pytest.mark.parametrize("gap_s", [1.0, 400.0])
def test_a_goodbye_or_a_drain_begins_no_ramp(gap_s: float) -> None:
    made = fleet(heard("a", "oslo", 10.0, draining=True), heard("a", "oslo", 11.0, seq=2))
    assert share(made, 11.0) == 1.0
    made.heard(heard("a", "oslo", 12.0, seq=3, goodbye=True))
    made.heard(heard("a", "oslo", 12.0 + gap_s, boot="b2"))
    assert share(made, 12.0 + gap_s) == 1.0


def test_one_that_was_dead_and_forgotten_ramps_too() -> None:
    made = fleet(heard("a", "oslo", 10.0))
    assert states(made, 400.0) == {}
    made.heard(heard("a", "oslo", 500.0, boot="b2"))
    assert share(made, 500.0) == 0.1


def test_a_node_that_is_not_reached_takes_nobody_and_ramps() -> None:
    made = fleet(heard("a", "oslo", 10.0))
    made.heard({"do": "reach", "at_s": 10.5, "node": "a", "reachable": False})
    assert states(made, 10.5) == {"a": "unreachable"}
    made.heard({"do": "reach", "at_s": 11.5, "node": "a", "reachable": True})
    assert (states(made, 11.5), share(made, 11.5)) == ({"a": "ready"}, 0.1)


@pytest.mark.parametrize(
    ("age_s", "due"), [(0.0, 10.0), (299.9, 10.0), (300.0, 5.0), (599.9, 5.0), (600.0, 0.0)]
)
def test_a_seat_not_answered_costs_for_ten_minutes(age_s: float, due: float) -> None:
    made = fleet(heard("a", "oslo", 10.0), ask(1), answer(1, "silent"))
    assert made.nodes["a"].history_ms(10.0 + age_s) == due


def test_sessions_lost_with_a_boot_cost_and_no_more_than_ten_count() -> None:
    made = fleet(heard("a", "oslo", 10.0), heard("a", "oslo", 11.0, boot="b2"))
    assert made.nodes["a"].history_ms(11.0) == 40.0
    for at in (3, 4):
        made.heard(heard("a", "oslo", 9.0 + at, boot=f"b{at}"))
    assert made.nodes["a"].history_ms(13.0) == 100.0


@pytest.mark.parametrize(
    ("held", "due"), [((5,), [0.5]), ((5, 8, 7), [0.5, 0.8, 0.75]), ((8, 8, 9), [0.8, 0.8, 0.9])]
)
def test_load_rises_at_once_and_falls_late(held: tuple[int, ...], due: list[float]) -> None:
    made, said = fleet(), []
    for at, taken in enumerate(held, start=1):
        kinds = rooms(taken, 10 - taken)
        made.heard(heard("a", "oslo", at, seq=at, kinds=kinds))
        made.looked(at)
        said.append(made.load("oslo", KIND))
    assert said == pytest.approx(due)


def test_a_region_without_nodes_is_full_and_falls_with_the_same_play() -> None:
    made = fleet(heard("b", "paris", 1.0))
    made.looked(1.0)
    assert made.load("oslo", KIND) == 1.0
    made.heard(heard("a", "oslo", 2.0, kinds=rooms(5, 5)))
    made.looked(2.0)
    assert made.load("oslo", KIND) == pytest.approx(0.55)
