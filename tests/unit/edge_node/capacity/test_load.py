"""What fits follows from what steps cost."""

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from edge_node.capacity.load import (
    MOST,
    Machine,
    Room,
    StepCost,
    capacities,
    recognition_fits,
    synthesis_fits,
)

KINDS = ("recognition", "synthesis", "conversation")
SIZES = (1, 2, 4, 8, 16, 32)


def machine(fixed_ms: float, each_ms: float, voice_s: float | None = 0.05) -> Machine:
    """t(b) = fixed + each * b, and p95 half as much again."""
    took_s = [(fixed_ms + each_ms * size) / 1000 for size in SIZES]
    steps = tuple(StepCost(b, t, 1.5 * t) for b, t in zip(SIZES, took_s, strict=True))
    return Machine(steps, 0.32, voice_s)


def test_by_hand() -> None:
    """0.7 of 320 ms are 224 ms: six batches of 27 at 37 ms.

    A batch's p95 is half as much again: at 34 ms one of 12 is the largest, ten times.
    """
    assert recognition_fits(machine(10, 1), 80, 0.7) == 6 * 27
    assert recognition_fits(machine(10, 1), 34, 0.7) == 10 * 12
    assert recognition_fits(machine(400, 1), 80, 0.7) == 0
    assert synthesis_fits(machine(1, 1, voice_s=0.05), 0.7) == 14


def test_half_a_machine_carries_about_half() -> None:
    whole = capacities(machine(10, 1), step_p95_ms=80, share=1.0)
    half = capacities(machine(10, 1), step_p95_ms=80, share=0.5)
    assert whole == {"recognition": 6 * 27, "synthesis": 14, "conversation": 12}
    assert half == {"recognition": 3 * 27, "synthesis": 7, "conversation": 6}


def test_a_node_that_does_not_speak_listens() -> None:
    found = capacities(machine(10, 1, voice_s=None), step_p95_ms=80, share=1.0)
    assert found == {"recognition": 6 * 27, "synthesis": 0, "conversation": 0}


def test_what_costs_nothing_is_still_bounded() -> None:
    free = Machine((StepCost(1, 1e-12, 1e-12),), 0.32, 0.0)
    assert set(capacities(free, step_p95_ms=80, share=1.0).values()) == {MOST, MOST // 2}


@given(
    fixed_ms=st.floats(0.01, 100),
    each_ms=st.floats(0.01, 20),
    utilisation=st.floats(0.05, 1),
    limit_ms=st.floats(1, 200),
)
def test_the_device_keeps_up_with_what_fits(
    fixed_ms: float, each_ms: float, utilisation: float, limit_ms: float
) -> None:
    fits = recognition_fits(machine(fixed_ms, each_ms), limit_ms, utilisation)
    assume(fits)
    enough = [
        size
        for size in range(1, 33)
        if 1.5 * (fixed_ms + each_ms * size) <= limit_ms * (1 + 1e-5)
        and -(-fits // size) * (fixed_ms + each_ms * size) <= utilisation * 320 * (1 + 1e-5)
    ]
    assert enough


@given(
    limit=st.integers(0, 40),
    capacity=st.none() | st.fixed_dictionaries({kind: st.integers(1, 30) for kind in KINDS}),
    comers=st.lists(st.sampled_from(KINDS), max_size=60),
)
def test_who_is_told_that_he_fits_fits(
    limit: int, capacity: dict[str, int] | None, comers: list[str]
) -> None:
    """However kinds mix, the shares of those let in never exceed the machine."""
    room, taken = Room(limit, capacity), Counter[str]()
    for kind in comers:
        before = room.fits(taken, kind)
        if before:
            taken[kind] += 1
            assert room.fits(taken, kind) == before - 1
    assert taken.total() <= room.limit
    if capacity is not None:
        assert sum(n / capacity[kind] for kind, n in taken.items()) <= 1 + 1e-5


def test_the_setting_or_the_machine_is_the_limit() -> None:
    assert (Room(5, {"recognition": 9}).limit, Room(5, {"recognition": 9}).limited_by_setting) == (
        5,
        True,
    )
    assert (Room(9, {"recognition": 5}).limit, Room(9, {"recognition": 5}).limited_by_setting) == (
        5,
        False,
    )
