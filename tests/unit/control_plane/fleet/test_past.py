"""What failures say afterwards: shares that come back in steps, costs that fade."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.fleet import Fleet, State
from control_plane.fleet.past import MOST_LAPSES, Past, history_ms, shares
from shared.capacity import CapacityReport
from tests.support.fleets import fleet, report, world


class Life:
    """One node `a`, second by second, with `b` beside it."""

    def __init__(self) -> None:
        self.fleet, self.now_s, self.seq = Fleet(world(), 0.0), 0.0, 0
        self.on(1)

    def on(self, seconds: int, *, silent: bool = False, **says: object) -> float:
        """Time goes on; the share at its end."""
        for _ in range(seconds):
            self.now_s += 1.0
            self.seq += 1
            self.fleet.reported(report("b", seq=self.seq), self.now_s)
            if not silent:
                self.fleet.reported(report("a", seq=self.seq, **says), self.now_s)
        return self.share

    @property
    def share(self) -> float:
        return float(self.fleet.view(self.now_s).share[0])

    @property
    def state(self) -> State | None:
        return self.fleet.view(self.now_s).state_of("a")

    @property
    def history_ms(self) -> float:
        return float(self.fleet.view(self.now_s).history_ms[0])


def test_nobody_ramps_who_is_new() -> None:
    assert Life().share == 1.0


@pytest.mark.parametrize("failure", ["dead", "unwell", "unreachable", "long dead"])
def test_after_a_failure_it_gets_a_tenth_then_half_then_all(failure: str) -> None:
    life = Life()
    if failure == "unwell":
        life.on(5, healthy=False)
    elif failure == "unreachable":
        life.fleet.reached("a", life.now_s, reachable=False)
        life.on(5)
        life.fleet.reached("a", life.now_s, reachable=True)
    else:
        life.on(400 if failure == "long dead" else 6, silent=True)
        life.on(1)
    back_s = life.now_s if failure != "unwell" else life.now_s + 1
    by_age = [(life.now_s + 1 - back_s, life.on(1)) for _ in range(1000)]
    assert {share for age, share in by_age if 0 <= age < 300} == {0.1}
    assert {share for age, share in by_age if 300 <= age < 900} == {0.5}
    assert {share for age, share in by_age if age >= 900} == {1.0}


def test_a_relapse_begins_anew() -> None:
    life = Life()
    life.on(6, silent=True)
    assert life.on(400) == 0.5
    life.on(1, healthy=False)
    assert life.on(299) == 0.1
    assert life.on(2) == 0.5


def test_what_was_planned_is_no_failure() -> None:
    """Drains, tiers, and a restart that was announced."""
    life = Life()
    assert life.on(5, draining=True) == 1.0
    assert life.on(5, tier="warm") == 1.0
    assert life.on(1) == 1.0
    life.on(1, goodbye=True)
    life.on(10, silent=True)
    assert life.on(1, boot="b2") == 1.0


def test_a_stale_node_has_not_failed() -> None:
    life = Life()
    life.on(4, silent=True)
    assert life.state is State.STALE
    assert life.on(1) == 1.0


def test_the_ramp_begins_when_it_takes_sessions_and_not_before() -> None:
    life = Life()
    life.on(6, silent=True)
    assert life.on(600, draining=True) == 0.1
    assert life.on(299) == 0.1
    assert life.on(2) == 0.5


def test_a_late_goodbye_of_who_died_long_ago_does_not_undo_it() -> None:
    life = Life()
    life.on(400, silent=True)
    late = life.fleet.reported(report("a", seq=1, goodbye=True), life.now_s)
    assert late.code == "gone"
    life.on(1)
    assert life.share == 0.1


def test_seats_not_answered_cost_and_are_forgotten() -> None:
    life = Life()
    for count in (1, 2):
        hold = life.fleet.held_back("a", "recognition", life.now_s)
        assert hold is not None
        life.fleet.silent(hold)
        assert life.history_ms == 10.0 * count
    life.on(299)
    assert life.history_ms == 20.0
    life.on(1)
    assert life.history_ms == 10.0
    life.on(299)
    assert life.history_ms == 10.0
    life.on(1)
    assert life.history_ms == 0.0


def test_sessions_that_died_with_their_boot_cost() -> None:
    life = Life()
    life.on(1, held=3)
    life.on(1, boot="b2", held=0)
    assert life.history_ms == 30.0
    life.on(6, silent=True)
    assert life.on(1, boot="b2", held=6) == 0.1
    assert life.history_ms == 30.0  # the same boot: it was cut off, and kept its sessions


def test_sessions_that_failed_through_the_nodes_own_fault_cost() -> None:
    life = Life()
    life.on(1, faults=1)
    assert life.history_ms == 10.0
    life.on(2, faults=3)
    assert life.history_ms == 30.0
    life.on(1, boot="b2", faults=9)  # before anybody listened to this boot, for all that is known
    assert life.history_ms == 90.0  # of six sessions that went with the other boot
    life.on(1, boot="b2", faults=10)
    assert life.history_ms == 100.0
    life.on(600, boot="b2", faults=10)
    assert life.history_ms == 0.0


def test_time_alone_gives_a_new_view_only_when_something_changes() -> None:
    life = Life()
    life.on(6, silent=True)
    life.on(1)
    first = life.fleet.view(life.now_s)
    numbers = set()
    for _ in range(200):
        life.on(1)
        numbers.add(life.fleet.view(life.now_s).number)
    assert numbers == {first.number}


@given(st.lists(st.floats(0, 2000), max_size=30), st.floats(0, 3000))
def test_history_stays_in_its_bounds(moments: list[float], now_s: float) -> None:
    past = Past()
    for moment in sorted(moments):
        past.lapsed(moment, 1 + int(moment) % 3)
    assert len(past.lapses_s) <= MOST_LAPSES
    column = np.full((MOST_LAPSES, 1), -np.inf)
    if past.lapses_s:
        column[-len(past.lapses_s) :, 0] = past.lapses_s
    (cost_ms,) = history_ms(column, max([now_s, *moments]))
    assert 0.0 <= cost_ms <= 100.0
    assert cost_ms % 5.0 == 0.0


def test_shares_by_age() -> None:
    since_s = np.array([-np.inf, np.inf, 100.1, 100.0, -199.9, -500.0, -501.0])
    assert shares(since_s, 400.0).tolist() == [1.0, 0.1, 0.1, 0.5, 0.5, 1.0, 1.0]


def test_what_failed_survives_being_written_down() -> None:
    life = Life()
    life.on(6, silent=True)
    life.on(1)
    hold = life.fleet.held_back("a", "recognition", life.now_s)
    assert hold is not None
    life.fleet.silent(hold)
    life.on(400, silent=True)
    life.on(1)
    state = life.fleet.state()
    again = Fleet.restored(msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state)))
    assert again.view(life.now_s).digest == life.fleet.view(life.now_s).digest
    assert again.view(life.now_s + 300).share.tolist() == [0.5, 1.0]


def loaded(held: int, **says: object) -> CapacityReport:
    return report(held=held, fits=10 - held, **says)


def test_a_regions_load_is_of_nodes_that_take_sessions() -> None:
    seen = fleet(
        [loaded(4), report("b", held=9, fits=1, draining=True), report("c", "eu-west", tier="warm"),
         report("d", "ap-south", held=0, fits=0)]
    ).view(10.0)  # fmt: skip
    rows = dict(zip(seen.roster.atlas.names, seen.load[0].tolist(), strict=True))
    assert rows == {"eu-central": 0.4, "eu-west": 1.0, "ap-south": 1.0, "sa-east": 1.0}


def test_a_load_is_said_to_fall_late_also_past_a_new_roster_and_a_snapshot() -> None:
    known = fleet([loaded(8, seq=1)])
    said = []
    for step, held in enumerate([8, 9, 8, 7, 7], start=2):
        known.reported(loaded(held, seq=step), 10.0)
        said.append(round(float(known.view(10.0).load[0, 1]), 3))
    assert said == [0.8, 0.9, 0.85, 0.75, 0.75]
    known.reported(report("b", "eu-west"), 10.0)  # another roster
    assert round(float(known.view(10.0).load[0, 1]), 3) == 0.75
    again = Fleet.restored(known.state())
    assert again.view(10.0).load.tolist() == known.view(10.0).load.tolist()
    assert known.regions(10.0)[1].load == {"recognition": 0.75, "synthesis": 0.5885}
