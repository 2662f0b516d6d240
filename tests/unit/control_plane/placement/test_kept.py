import tracemalloc

import msgspec
import pytest

from control_plane.fleet import FleetView
from control_plane.placement import Decision, decide
from control_plane.placement.kept import Kept
from tests.support.fleets import ask, policy, report, view

RULES = policy()


def fleet_of(nodes: int) -> FleetView:
    return view(*(report(f"n{number}") for number in range(nodes)))


def made(of: FleetView, name: str) -> Decision:
    return decide(of, msgspec.structs.replace(ask(), id=name, tenant="t" * 16), RULES)


def test_a_decision_is_found_by_its_id_with_what_came_of_it() -> None:
    kept = Kept()
    decision = made(fleet_of(2), "d1")
    kept.add(decision, ["n0: node_full", "n1: granted"], "s1")
    found = kept.of("d1")
    assert found is not None
    assert found.decision is decision
    assert (found.attempts, found.session) == (("n0: node_full", "n1: granted"), "s1")
    assert kept.of("d2") is None


def test_the_oldest_make_way_by_count_and_by_bytes() -> None:
    seen = fleet_of(10)
    few = Kept(most=3)
    small = Kept(most_bytes=10_000)
    for number in range(9):
        few.add(made(seen, f"d{number}"))
        small.add(made(seen, f"d{number}"))
    assert [few.of(f"d{number}") is not None for number in range(9)] == [False] * 6 + [True] * 3
    assert 1 < len(small) < 9
    assert small.of("d8") is not None
    assert small.size_bytes <= 10_000


def test_rosters_count_once_and_only_while_somebody_needs_them() -> None:
    first, second = fleet_of(10), fleet_of(10)
    kept = Kept(most=2)
    kept.add(made(first, "d1"))
    alone = kept.size_bytes
    kept.add(made(first, "d2"))
    shared = kept.size_bytes
    assert shared - alone == alone - 3000
    kept.add(made(second, "d3"))
    assert kept.size_bytes == shared + 3000
    kept.add(made(second, "d4"))
    assert kept.size_bytes == shared


def test_the_same_id_twice_is_kept_once() -> None:
    kept = Kept()
    seen = fleet_of(2)
    kept.add(made(seen, "d1"))
    size = kept.size_bytes
    kept.add(made(seen, "d1"))
    assert (len(kept), kept.size_bytes) == (1, size)


@pytest.mark.parametrize("nodes", [10, 1000])
def test_the_bytes_that_are_stated_are_those_that_it_takes(nodes: int) -> None:
    seen = fleet_of(nodes)
    made(seen, "warm")
    kept = Kept()
    tracemalloc.start()
    for number in range(200):
        kept.add(made(seen, f"decision-{number:026}"), ["n0: granted"], f"session-{number:026}")
    taken = tracemalloc.get_traced_memory()[0] / 200
    tracemalloc.stop()
    stated = (kept.size_bytes - 300 * nodes) / 200
    assert 0.8 < taken / stated < 1.25, (taken, stated)
