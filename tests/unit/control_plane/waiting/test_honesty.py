import random

import pytest

from control_plane.waiting.honesty import CONFIDENCE, Honesty


@pytest.mark.parametrize("off", [0.85, 1.0, 1.15, 2.5])
def test_intervals_settle_where_they_hold_what_they_promise(off: float) -> None:
    """Waits are `off` times as spread as is thought: what is told widens or narrows until it fits.

    Within limits: all that may happen, as far as is known, is no more than that.
    """
    draw, honesty = random.Random(3), Honesty()
    inside = 0
    for number in range(6000):
        half = honesty.spread / 2
        low_s, high_s = 100 * (0.5 - half), 100 * (0.5 + half)
        waited_s = 50 + off * draw.uniform(-50, 50)
        honesty.came(low_s, high_s, waited_s)
        inside += number >= 1000 and low_s <= waited_s <= high_s
    if off < 2:
        assert inside / 5000 == pytest.approx(CONFIDENCE, abs=0.03)
    else:
        assert honesty.spread > 0.9
    assert sum(honesty.counts().values()) == 6000


def test_who_left_counts_only_where_he_had_waited_longer_than_he_was_told() -> None:
    honesty = Honesty()
    honesty.left(10.0, 9.0)
    assert honesty.counts() == {"inside": 0, "sooner": 0, "later": 0}
    honesty.left(10.0, 11.0)
    assert honesty.counts()["later"] == 1
    assert honesty.spread > CONFIDENCE


def test_the_share_is_told_once_it_means_something() -> None:
    honesty = Honesty()
    for number in range(40):
        honesty.came(0.0, 10.0, 5.0 if number % 4 else 20.0)
        assert honesty.covered is None or number > 18
    assert honesty.covered == pytest.approx(0.75, abs=0.05)
