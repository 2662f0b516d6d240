import numpy as np
import pytest

from control_plane.waiting.ends import Seats
from control_plane.waiting.hazards import BINS, Belief
from control_plane.waiting.lineup import Others, Tenant
from control_plane.waiting.runs import play


def leaving(after_s: float) -> Belief:
    """Callers go by chance, after so long on the average."""
    return Belief(np.full(BINS, 1e6), np.full(BINS, 1e6 * after_s), 0.0)


KNOWN = Belief(np.full(BINS, 1e6), np.full(BINS, 1e6 * 100.0), 0.0)
"""Sessions end by chance, after 100 s on the average, and that is certain."""
NOBODY = Others(600.0, leaving(1e12))
NEVER = 1e9


def seats(count: int, share: float = 1.0) -> Seats:
    return Seats(np.linspace(0, 500, count), np.zeros(count, np.intp), [KNOWN], 0, share)


def tenant(*numbers: int, weight: int = 1, until_s: float = NEVER, came: int = 0) -> Tenant:
    zeros = [0.0] * len(numbers)
    return Tenant(weight, 0.0, numbers, [until_s] * len(numbers), zeros, came)


def means(
    *tenants: Tenant, count: int = 20, others: Others = NOBODY, share: float = 1.0
) -> dict[int, float]:
    played = play(seats(count, share), tenants, others, np.random.default_rng(7))
    return {number: float(times.mean()) for number, times in played.items()}


@pytest.mark.parametrize("count", [1, 20, 700])
def test_the_kth_in_line_waits_for_k_ends(count: int) -> None:
    found = means(tenant(*range(1, 41)), count=count)
    for place in (1, 10, 40):
        assert found[place] == pytest.approx(place * 100 / count, rel=0.2)


def test_what_does_not_go_to_the_line_is_waited_for_in_vain() -> None:
    assert means(tenant(1, 2, 3), share=0.5)[3] == pytest.approx(3 * 10, rel=0.15)


def test_a_heavy_tenant_is_served_as_often_as_he_weighs() -> None:
    found = means(tenant(1, 2, 3, 4), tenant(5, 6, 7, 8, 9, 10, weight=3))
    order = sorted(found, key=lambda number: found[number])
    assert order.index(8) < order.index(3)
    assert order.index(1) < order.index(7)


def test_those_who_leave_make_room() -> None:
    """Their deadline is known, or how often people go."""
    patient = tenant(9)
    stay = means(tenant(*range(1, 9)), patient)
    deadline = means(Tenant(1, 0.0, range(1, 9), [1.0] * 8, [0.0] * 8), patient)
    assert (deadline[9], stay[9]) == (pytest.approx(5, rel=0.3), pytest.approx(10, rel=0.3))
    alone = means(tenant(*range(1, 10)))
    going = means(tenant(*range(1, 10)), others=Others(600.0, leaving(10.0)))
    assert going[9] < 0.6 * alone[9]


def test_those_who_come_pass_where_they_are_less_behind() -> None:
    """Not within a tenant; a newcomer's tenant gets his share."""
    mine = range(1, 21)
    alone = means(tenant(*mine))
    same = means(tenant(*mine, came=300))
    other = means(tenant(*mine), tenant(came=300))
    heavy = means(tenant(*mine), tenant(came=300, weight=9))
    assert same[20] == pytest.approx(alone[20], rel=0.1)
    assert other[20] == pytest.approx(2 * alone[20], rel=0.15)
    assert heavy[20] > 4 * alone[20]


def test_equal_draws_are_equal_runs() -> None:
    first, again = (means(tenant(1, 2), tenant(3, came=4)) for _ in range(2))
    assert first == again
