import pytest

from control_plane.waiting.hazards import bin_of
from control_plane.waiting.queue import Line
from control_plane.waiting.rates import MOST, WINDOW_S, Rates

EU = Line(frozenset({"paris", "berlin"}), "recognition")
PARIS = Line(frozenset({"paris"}), "recognition")
US = Line(frozenset({"ohio"}), "recognition")


def test_arrivals_count_where_seats_are_shared_and_somebody_waits() -> None:
    rates = Rates()
    for at_s, tenant, line in ((10.0, "a", EU), (20.0, "b", PARIS), (30.0, "a", US)):
        rates.came(at_s, tenant, line)
    assert rates.arrivals(PARIS, 60.0) == ({"a": 1, "b": 1}, 50.0)
    assert rates.arrivals(US, 60.0) == ({"a": 1}, 50.0)
    rates.idle()
    rates.came(100.0, "c", PARIS)
    assert rates.arrivals(PARIS, 110.0) == ({"c": 1}, 10.0)


def test_old_arrivals_are_forgotten() -> None:
    rates = Rates()
    for number in range(2 * MOST):
        rates.came(float(number), "a", PARIS)
    counts, within_s = rates.arrivals(PARIS, 2 * MOST - 1)
    assert counts == {"a": pytest.approx(WINDOW_S, abs=1)}
    assert within_s == WINDOW_S


def test_who_leaves_is_learnt_by_how_long_he_has_waited_and_relearnt() -> None:
    """Half go at once, and the others stay: whoever has waited long is not about to go."""
    rates = Rates()
    for _ in range(1000):
        rates.went(5.0, left=True)
        rates.went(200.0, left=False)
    learnt = rates.leaving([]).mean
    assert learnt[bin_of(5.0)] > 20 * learnt[bin_of(100.0)]
    waits = rates.leaving([400.0] * 500).mean
    assert waits[bin_of(300.0)] < learnt[bin_of(300.0)]
    for _ in range(2000):
        rates.went(100.0, left=True)
    assert rates.leaving([]).mean[bin_of(100.0)] > 20 * learnt[bin_of(100.0)]
