from random import Random

from hypothesis import given
from hypothesis import strategies as st

from control_plane.sessions.usage import Usage
from tests.unit.control_plane.sessions.test_table import note

STEPS = st.lists(st.integers(0, 1_000), min_size=1, max_size=6)


@given(STEPS, st.randoms(use_true_random=False), st.lists(st.integers(0, 5), max_size=4))
def test_notes_that_come_late_or_twice_add_nothing(
    steps: list[int], random: Random, again: list[int]
) -> None:
    """Every note says the sums so far, so the largest is all there is to know."""
    sums = [sum(steps[: at + 1]) for at in range(len(steps))]
    notes = [note("usage", audio_ms=ms, characters=ms // 2) for ms in sums]
    notes[-1] = note("ended", audio_ms=sums[-1], characters=sums[-1] // 2)
    notes += [notes[at % len(notes)] for at in again]
    random.shuffle(notes)
    usage = Usage()
    for each in notes:
        usage.noted(each)
    (line,) = usage.lines()
    assert (line.sessions, line.audio_ms, line.characters) == (1, sums[-1], sums[-1] // 2)
    assert usage.open_sessions == 0


def test_totals_are_by_tenant_region_and_model() -> None:
    usage = Usage()
    usage.noted(note("ended", "a", audio_ms=10, tenant="x"))
    usage.noted(note("ended", "b", audio_ms=20, tenant="x", model="m"))
    usage.noted(note("ended", "c", audio_ms=40, tenant="y", region="q"))
    found = [(line.tenant, line.region, line.model, line.audio_ms) for line in usage.lines()]
    assert found == [("x", "r", None, 10), ("x", "r", "m", 20), ("y", "q", None, 40)]
    assert [line.tenant for line in usage.lines("y")] == ["y"]
    assert usage.totals("audio_ms") == {"r": 30, "q": 40}


@given(STEPS, STEPS, st.integers(0, 500), st.randoms(use_true_random=False))
def test_a_session_at_two_nodes_is_one_and_its_audio_counts_once(
    first: list[int], second: list[int], again_ms: int, random: Random
) -> None:
    """The second begins at the last boundary, and hears again what the first had heard of it."""
    begins_ms = max(0, sum(first) - again_ms)
    notes = [
        note("usage", boot="a", audio_ms=sum(first[: at + 1]), characters=3)
        for at in range(len(first))
    ] + [
        note("usage", boot="b", region="q", audio_ms=begins_ms + sum(second[: at + 1]))
        for at in range(len(second))
    ]
    random.shuffle(notes)
    usage = Usage()
    for each in notes:
        usage.noted(each)
    lines = usage.lines()
    heard_ms = max(sum(first), begins_ms + sum(second))
    assert sum(line.audio_ms for line in lines) == heard_ms
    assert sum(line.sessions for line in lines) == 1
    assert sum(line.characters for line in lines) == 3


def test_the_pause_between_two_nodes_counts_where_it_went_on() -> None:
    usage = Usage()
    usage.noted(note("started", boot="a", at_ms=1_000))
    usage.noted(note("paused", boot="a", at_ms=5_000, paused_ms=700))
    usage.noted(note("resumed", boot="b", region="q", at_ms=9_000))
    usage.noted(note("usage", boot="a", at_ms=10_000, paused_ms=700))
    assert usage.totals("paused_ms") == {"r": 700, "q": 4_000}
    assert usage.open_sessions == 1


def test_what_a_node_counted_of_its_own_pause_is_not_counted_again() -> None:
    usage = Usage()
    usage.noted(note("started", boot="a", at_ms=1_000))
    usage.noted(note("paused", boot="a", at_ms=5_000))
    usage.noted(note("usage", boot="a", at_ms=7_000, paused_ms=2_000))
    usage.noted(note("resumed", boot="b", region="q", at_ms=9_000))
    usage.noted(note("paused", boot="b", region="q", at_ms=10_000))
    usage.noted(note("resumed", boot="b", region="q", at_ms=11_000, paused_ms=1_000))
    assert usage.totals("paused_ms") == {"r": 2_000, "q": 3_000}
