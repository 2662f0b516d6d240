"""What was measured is measured once for a machine, in turn, and anew where it cannot be read."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.capacity.calibrate import (
    SIZES,
    Cache,
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


def never() -> list[StepCost]:
    raise AssertionError("measured again")


def test_the_next_start_reads_what_the_first_one_measured(tmp_path: Path) -> None:
    folder = tmp_path / "capacity"
    assert Cache(folder).steps("k", lambda: COSTS) == COSTS
    assert Cache(folder).steps("k", never) == COSTS
    assert Cache(folder).voice_s("v", lambda: 0.25) == 0.25
    assert Cache(folder).voice_s("v", lambda: 99.0) == 0.25


@pytest.mark.parametrize("spoilt", [b"", b"{", b'{"key":"other","costs":[]}', b"\xff\xfe", b"[]"])
def test_a_file_that_cannot_be_read_is_measured_anew(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / "k.json").write_bytes(spoilt)
    assert Cache(tmp_path).steps("k", lambda: COSTS) == COSTS
    assert Cache(tmp_path).steps("k", never) == COSTS


def test_a_folder_that_cannot_be_is_no_reason_not_to_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Cache(tmp_path / "file" / "capacity").steps("k", lambda: COSTS) == COSTS


def test_nodes_of_a_machine_measure_in_turn_and_once(tmp_path: Path) -> None:
    inside, most, measured = 0, 0, 0
    guard = threading.Lock()

    def measure() -> tuple[StepCost, ...]:
        nonlocal inside, most, measured
        with guard:
            inside, measured = inside + 1, measured + 1
            most = max(most, inside)
        threading.Event().wait(0.02)
        with guard:
            inside -= 1
        return COSTS

    def node(key: str) -> None:
        assert Cache(tmp_path).steps(key, measure) == COSTS

    nodes = [threading.Thread(target=node, args=(key,)) for key in "aabbaabb"]
    for one in nodes:
        one.start()
    for one in nodes:
        one.join()
    assert (most, measured) == (1, 2)


def test_another_fact_is_another_measurement() -> None:
    facts = {"model": "m", "share": 0.5}
    assert key_of(**facts) == key_of(**dict(reversed(facts.items())))
    assert key_of(**facts) != key_of(**(facts | {"share": 0.25}))


@pytest.mark.parametrize("largest", [1, 3, 32, 64])
def test_an_engine_is_measured_at_every_size_and_left_as_it_was(largest: int) -> None:
    engine, clock = ScriptedEngine(), iter(range(10**6))
    watch = Watch(work_s=lambda: float(next(clock)), now_s=lambda: 0.0)
    costs = measure_steps(engine, largest, watch)
    most = min(largest, engine.profile.max_batch)
    assert [cost.batch for cost in costs] == [size for size in SIZES if size < most] + [most]
    assert {one for cost in costs for one in (cost.work_s, cost.p95_s)} == {1.0}


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
