"""Pauses by the rate of packets; time is a number."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_node.protocols.moderation import MEMORY_S, GatherRules, Moderation, pause_s

RULES = GatherRules(longest_s=0.02, wanted=16, worthwhile=3)
PACKET_S = 0.1


def settled(streams: int, rules: GatherRules = RULES) -> list[float]:
    """The pauses of the last half of two seconds of live streams, evenly out of step."""
    moderation, pauses, now_s, read = Moderation(rules), [], 0.0, 0
    while now_s < 2.0:
        came = int(now_s * streams / PACKET_S)
        pause = moderation.looked(now_s, came - read)
        read = came
        pauses.append((now_s, pause))
        now_s += pause or PACKET_S / streams  # without a pause the next packet wakes
    return [pause for at_s, pause in pauses if at_s > 1.0]


def test_few_streams_wait_for_nothing() -> None:
    for streams in (1, 2, 5, 10):
        assert set(settled(streams)) == {0.0}


def test_many_streams_are_read_together() -> None:
    for streams in (20, 50):
        assert set(settled(streams)) == {RULES.longest_s}


def test_very_many_streams_wait_less() -> None:
    """Enough has come sooner: what more waiting would save is not worth its latency."""
    pauses = settled(400)
    assert max(pauses) < RULES.longest_s / 2
    assert min(pauses) > 0.0


def test_a_crowd_that_falls_silent_is_forgotten() -> None:
    """The last stream of many must not go on paying for those who left."""
    moderation = Moderation(RULES)
    for number in range(200):
        moderation.looked(number * 0.01, 5)
    assert moderation.looked(2.0 + 4 * MEMORY_S, 1) == 0.0


def test_no_pause_where_none_is_allowed() -> None:
    assert settled(100, GatherRules(longest_s=0.0)) == [0.0] * len(
        settled(100, GatherRules(longest_s=0.0))
    )


@given(
    looks=st.lists(st.tuples(st.floats(0, 10), st.integers(0, 1000)), max_size=50),
    longest_s=st.floats(0, 0.05),
)
def test_a_pause_is_never_longer_than_allowed(
    looks: list[tuple[float, int]], longest_s: float
) -> None:
    """Whatever comes, and however unevenly."""
    moderation, now_s = Moderation(GatherRules(longest_s=longest_s)), 0.0
    for later_s, found in looks:
        now_s += later_s
        assert 0.0 <= moderation.looked(now_s, found) <= longest_s


@given(st.lists(st.floats(0, 1e6), min_size=2))
def test_more_packets_never_make_a_longer_pause(rates: list[float]) -> None:
    """Among rates at which anything is waited for at all."""
    pauses = [pause for rate in sorted(rates) if (pause := pause_s(rate, RULES))]
    assert all(more >= less for more, less in pairwise(pauses))
