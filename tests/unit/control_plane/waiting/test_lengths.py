import random

import numpy as np
import pytest

from control_plane.waiting.hazards import BINS, Lives
from control_plane.waiting.lengths import MOST_TENANTS, OLD_S, Known, Lengths


def play(
    lengths: Lengths,
    mean_s: float,
    count: int,
    *,
    tenant: str = "t",
    at_s: float = 0.0,
    to_the_end: bool = True,
) -> float:
    """So many sessions, one a second; returns when the last has begun, or has ended."""
    draw = random.Random(1)
    until_s, notes = at_s + count, []
    for number in range(count):
        began_s = at_s + number
        notes.append((began_s, "began", f"{tenant}-{began_s}"))
        notes.append((began_s + draw.expovariate(1 / mean_s), "ended", f"{tenant}-{began_s}"))
    notes.sort()
    for note_s, event, session in notes:
        if note_s > until_s and not to_the_end:
            break
        if event == "began":
            lengths.began(session, "recognition", tenant, "paris", note_s)
        else:
            lengths.ended(session, note_s, until_s)
    until_s = max(until_s, notes[-1][0]) if to_the_end else until_s
    lengths.look(until_s)
    return until_s


def median_s(known: Known) -> float:
    """Half of the sessions are over by then."""
    lives = Lives(known.belief.mean[None, :])
    return float(lives.left_s(0, np.zeros(1), np.full(1, np.log(2.0)))[0])


def test_where_nothing_was_seen_it_says_so() -> None:
    known = Lengths().known("recognition", "t")
    assert (known.source, known.sessions) == ("assumed", 0)
    assert median_s(known) == pytest.approx(120, rel=0.2)


@pytest.mark.parametrize("mean_s", [5.0, 60.0, 400.0])
def test_lengths_are_learnt_from_those_that_ended_and_those_that_run(mean_s: float) -> None:
    """Without those that run, what was seen in a short while would be short."""
    lengths = Lengths()
    play(lengths, mean_s, 1200, to_the_end=False)
    known = lengths.known("recognition")
    assert known.source == "kind"
    assert median_s(known) == pytest.approx(mean_s * np.log(2), rel=0.2)
    assert median_s(lengths.known("synthesis")) == pytest.approx(120, rel=0.2)


def test_sessions_that_run_on_say_something_before_the_first_has_ended() -> None:
    lengths = Lengths()
    for number in range(50):
        lengths.began(f"s{number}", "recognition", "t", "paris", 0.0)
    lengths.began("short", "recognition", "t", "paris", 0.0)
    lengths.ended("short", 1.0, 1.0)
    lengths.look(600.0)
    assert median_s(lengths.known("recognition")) > 600


def test_a_tenant_counts_by_himself_once_enough_of_his_were_seen() -> None:
    lengths = Lengths()
    at_s = play(lengths, 20.0, 600, tenant="quick")
    at_s = play(lengths, 200.0, 600, tenant="slow", at_s=at_s)
    assert lengths.known("recognition", "slow").source in ("tenant", "recent")
    assert lengths.known("recognition", "new").source in ("kind", "recent")
    quick, slow = (median_s(lengths.known("recognition", one)) for one in ("quick", "slow"))
    assert quick == pytest.approx(20 * np.log(2), rel=0.3)
    assert slow == pytest.approx(200 * np.log(2), rel=0.3)


@pytest.mark.parametrize("times", [0.25, 4.0])
def test_when_lengths_change_the_last_ones_have_the_say_and_are_doubted(times: float) -> None:
    lengths = Lengths()
    at_s = play(lengths, 60.0, 1500)
    before = lengths.known("recognition")
    assert before.source == "kind"
    play(lengths, 60.0 * times, 400, at_s=at_s, to_the_end=False)
    after = lengths.known("recognition")
    assert after.source == "recent"
    assert after.belief.doubt > 5 * before.belief.doubt
    assert median_s(after) == pytest.approx(60 * times * np.log(2), rel=0.5)


def test_what_takes_no_seat_or_is_long_past_or_unknown_says_nothing() -> None:
    lengths = Lengths()
    lengths.began("text", "synthesis", "t", "paris", 5.0)
    lengths.ended("text", 5.0, 5.0)
    lengths.began("old", "synthesis", "t", "paris", 0.0)
    lengths.ended("old", 10.0, 11.0 + OLD_S)
    lengths.ended("never began", 5.0, 5.0)
    assert lengths.known("synthesis").source == "assumed"
    assert len(lengths) == 0


def test_sessions_that_ended_without_a_word_go() -> None:
    lengths = Lengths()
    for name in ("kept", "lost"):
        lengths.began(name, "recognition", "t", "paris", 0.0)
    lengths.gone(lambda session: session == "kept")
    assert [one.began_s for one in lengths.running({"paris"})] == [0.0]
    assert lengths.running({"ohio"}) == []


def test_tenants_are_bounded() -> None:
    lengths = Lengths()
    for number in range(MOST_TENANTS + 50):
        lengths.began("s", "recognition", f"t{number}", "paris", 0.0)
        lengths.ended("s", 10.0, 10.0)
    assert len(lengths._pools) <= MOST_TENANTS
    assert lengths.known("recognition").sessions > MOST_TENANTS
    assert lengths.known("recognition").belief.mean.shape == (BINS,)
