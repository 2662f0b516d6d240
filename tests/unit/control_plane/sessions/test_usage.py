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
