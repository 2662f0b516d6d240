from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.batcher import Batcher, BatchRules


def batcher_for(names: str, **rules: float) -> Batcher[str]:
    batcher: Batcher[str] = Batcher(BatchRules(**rules))  # type: ignore[arg-type]
    for name in names:
        batcher.join(name)
    return batcher


def test_a_chunk_alone_leaves_at_its_deadline() -> None:
    batcher = batcher_for("abcdef", max_streams=4, max_wait_s=0.5)
    batcher.ready("a", 10.0)
    assert batcher.due_s() == 10.5
    assert batcher.take(10.4) == []
    assert batcher.take(10.5) == ["a"]
    assert batcher.due_s() is None


def test_a_full_batch_leaves_at_once_oldest_first() -> None:
    batcher = batcher_for("abcdef", max_streams=2, max_wait_s=0.5)
    for name in "abc":
        batcher.ready(name, 10.0)
    batcher.ready("a", 11.0)
    assert batcher.take(10.0) == ["a", "b"]
    assert batcher.take(10.0) == []
    assert len(batcher) == 1


def test_it_says_when_its_deadline_changed() -> None:
    batcher = batcher_for("abcdef", max_streams=3, max_wait_s=0.5)
    assert [batcher.ready(name, 1.0) for name in "aabcd"] == [True, False, False, True, False]
    batcher.take(9.0)
    assert not batcher.ready("a", 9.0)
    assert batcher.ready("e", 9.0) is False


def test_nobody_waits_for_company_that_cannot_come() -> None:
    batcher = batcher_for("ab", max_streams=4, max_wait_s=0.5)
    assert batcher.ready("a", 1.0)
    assert batcher.take(1.0) == []
    assert batcher.ready("b", 1.1)
    assert batcher.take(1.1) == ["a", "b"]
    for name in "ab":
        batcher.done(name, 1.2, again=False)
    batcher.drop("b")
    batcher.ready("a", 2.0)
    assert batcher.take(2.0) == ["a"]


def test_who_is_waited_for_does_not_wait_for_company() -> None:
    batcher = batcher_for("abcdef", max_streams=4, max_wait_s=0.5)
    batcher.ready("a", 1.0)
    assert batcher.ready("b", 1.1, urgent=True)
    assert batcher.take(1.1) == ["a", "b"]
    batcher.done("b", 1.2, again=True, urgent=True)
    assert batcher.take(1.2) == ["b"]
    batcher.ready("b", 1.25, urgent=True)
    batcher.ready("b", 1.26)
    batcher.done("b", 1.3, again=False)
    assert batcher.take(1.3) == ["b"]
    batcher.done("b", 1.4, again=True)
    assert batcher.take(1.4) == []


def test_a_stream_in_flight_is_not_taken_twice_and_not_forgotten() -> None:
    batcher = batcher_for("abcdef", max_wait_s=0.0)
    batcher.ready("a", 0.0)
    assert batcher.take(0.0) == ["a"]
    batcher.ready("a", 1.0)
    assert batcher.take(1.0) == []
    batcher.done("a", 2.0, again=False)
    assert batcher.take(2.0) == ["a"]
    batcher.done("a", 3.0, again=False)
    assert batcher.take(9.0) == []


@given(
    steps=st.lists(st.tuples(st.sampled_from(["ready", "take", "done", "drop"]), st.integers(0, 5)))
)
def test_at_most_one_chunk_of_a_stream_is_in_flight_and_none_is_lost(
    steps: list[tuple[str, int]],
) -> None:
    batcher: Batcher[int] = Batcher(BatchRules(max_streams=2, max_wait_s=0.0))
    for member in range(6):
        batcher.join(member)
    flying: set[int] = set()
    owed: set[int] = set()
    for now, (step, key) in enumerate(steps):
        if step == "ready":
            batcher.ready(key, now)
            owed.add(key)
        elif step == "take":
            batch = batcher.take(now)
            assert not flying & set(batch)
            assert len(batch) == len(set(batch)) <= 2
            flying |= set(batch)
            owed -= set(batch)
        elif step == "done" and key in flying:
            flying.discard(key)
            batcher.done(key, now, again=False)
        elif step == "drop":
            batcher.drop(key)
            flying.discard(key)
            owed.discard(key)
    for key in flying:
        batcher.done(key, 1000, again=False)
    rest = set()
    while batch := batcher.take(2000):
        rest |= set(batch)
    assert rest == owed


def test_who_left_hurries_nobody() -> None:
    batcher: Batcher[str] = Batcher(BatchRules(max_streams=4, max_wait_s=0.5))
    for name in "abc":
        batcher.join(name)
    batcher.ready("a", 10.0, urgent=True)
    batcher.drop("a")
    batcher.ready("b", 11.0)
    assert batcher.due_s() == 11.5
