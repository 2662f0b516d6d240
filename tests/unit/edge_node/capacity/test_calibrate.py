"""What was measured is measured once for a machine, in turn, and anew where it cannot be read."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.capacity.calibrate import (
    BUDGET_S,
    SIZES,
    Cache,
    Measured,
    Watch,
    calibrating,
    cost_of,
    device_name,
    key_of,
    measure_steps,
)
from edge_node.capacity.load import StepCost
from edge_node.stt.engine import Engine
from edge_node.stt.scripted import ScriptedEngine

COSTS = (StepCost(1, 0.001, 0.002), StepCost(2, 0.002, 0.003))


def measured() -> Measured:
    return Measured(COSTS, whole=True)


def never() -> Measured:
    raise AssertionError("measured again")


def test_the_next_start_reads_what_the_first_one_measured(tmp_path: Path) -> None:
    folder = tmp_path / "capacity"
    assert Cache(folder).steps("k", measured) == COSTS
    assert Cache(folder).steps("k", never) == COSTS
    assert Cache(folder).voice_s("v", lambda: 0.25) == 0.25
    assert Cache(folder).voice_s("v", lambda: 99.0) == 0.25


@pytest.mark.parametrize("spoilt", [b"", b"{", b'{"key":"other","costs":[]}', b"\xff\xfe", b"[]"])
def test_a_file_that_cannot_be_read_is_measured_anew(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / "k.json").write_bytes(spoilt)
    assert Cache(tmp_path).steps("k", measured) == COSTS
    assert Cache(tmp_path).steps("k", never) == COSTS


def test_a_folder_that_cannot_be_is_no_reason_not_to_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Cache(tmp_path / "file" / "capacity").steps("k", measured) == COSTS


def test_nodes_of_a_machine_measure_in_turn_and_once(tmp_path: Path) -> None:
    inside, most, count = 0, 0, 0
    guard = threading.Lock()

    def measure() -> Measured:
        nonlocal inside, most, count
        with guard:
            inside, count = inside + 1, count + 1
            most = max(most, inside)
        threading.Event().wait(0.02)
        with guard:
            inside -= 1
        return measured()

    def node(key: str) -> None:
        assert Cache(tmp_path).steps(key, measure) == COSTS

    nodes = [threading.Thread(target=node, args=(key,)) for key in "aabbaabb"]
    for one in nodes:
        one.start()
    for one in nodes:
        one.join()
    assert (most, count) == (1, 2)


def test_another_fact_is_another_measurement() -> None:
    facts = {"model": "m", "share": 0.5}
    assert key_of(**facts) == key_of(**dict(reversed(facts.items())))
    assert key_of(**facts) != key_of(**(facts | {"share": 0.25}))


@pytest.mark.parametrize("largest", [1, 3, 32, 64])
def test_an_engine_is_measured_at_every_size_and_left_as_it_was(largest: int) -> None:
    engine, clock = ScriptedEngine(), iter(range(10**6))
    watch = Watch(work_s=lambda: float(next(clock)), now_s=lambda: 0.0)
    costs, whole = measure_steps(engine, largest, watch)
    most = min(largest, engine.profile.max_batch)
    assert [cost.batch for cost in costs] == [size for size in SIZES if size < most] + [most]
    assert whole
    assert {one for cost in costs for one in (cost.work_s, cost.p95_s)} == {1.0}


@pytest.mark.parametrize(("tick_s", "sizes"), [(BUDGET_S, SIZES[:1]), (BUDGET_S / 12, SIZES[:4])])
def test_a_machine_that_is_too_slow_is_measured_in_part(
    tick_s: float, sizes: tuple[int, ...]
) -> None:
    """And what was measured in part is not kept."""
    ticks = (at * tick_s for at in range(10**6))
    watch = Watch(work_s=lambda: 0.0, now_s=lambda: next(ticks))
    found = measure_steps(ScriptedEngine(), 32, watch)
    assert tuple(cost.batch for cost in found.costs) == sizes
    assert not found.whole


def test_what_was_measured_in_part_is_measured_again(tmp_path: Path) -> None:
    part = Measured(COSTS[:1], whole=False)
    assert Cache(tmp_path).steps("k", lambda: part) == COSTS[:1]
    assert Cache(tmp_path).steps("k", measured) == COSTS


def test_a_made_engine_is_looked_at_before_anybody_has_it() -> None:
    seen: list[Engine] = []
    engine = calibrating(ScriptedEngine, seen.append)()
    assert seen == [engine]


@given(took_s=st.lists(st.floats(1e-6, 10), min_size=1, max_size=30))
def test_percentiles_are_of_the_steps_after_the_first(took_s: list[float]) -> None:
    cost = cost_of(4, took_s)
    steady = took_s[1:] or took_s
    assert min(steady) <= cost.work_s <= cost.p95_s <= max(steady)
    assert sum(one <= cost.p95_s for one in steady) >= 0.95 * len(steady)


def test_the_device_has_a_name() -> None:
    assert device_name("cpu")
