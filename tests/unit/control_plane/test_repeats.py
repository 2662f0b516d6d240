import asyncio

import pytest

from control_plane.repeats import Repeats, checked_key
from shared.errors import InvalidMessage, NoRoom, Overloaded
from tests.support.virtual_time import run_virtually
from tests.unit.control_plane.waiting.test_hall import LoopClock


class Work:
    """Takes a second, and counts."""

    def __init__(self) -> None:
        self.done = 0
        self.fault: Exception | None = None

    async def __call__(self) -> int:
        await asyncio.sleep(1)
        if self.fault is not None:
            raise self.fault
        self.done += 1
        return self.done


def ten(_: int) -> float:
    return 10.0


def test_what_comes_twice_is_done_once_whether_the_first_is_over_or_not() -> None:
    async def go() -> None:
        repeats, work = Repeats[int](LoopClock()), Work()
        both = await asyncio.gather(*(repeats.once("k", "a", work, ten) for _ in range(2)))
        assert both == [1, 1]
        assert await repeats.once("k", "a", work, ten) == 1
        assert await repeats.once("other", "a", work, ten) == 2
        assert (work.done, repeats.repeated) == (2, 2)

    run_virtually(go())


def test_an_answer_that_is_over_is_not_repeated() -> None:
    async def go() -> None:
        repeats, work = Repeats[int](LoopClock()), Work()
        await repeats.once("k", "a", work, ten)
        await asyncio.sleep(10)
        assert await repeats.once("k", "a", work, ten) == 2

    run_virtually(go())


def test_a_refusal_is_shared_by_those_who_wait_for_it_and_not_remembered() -> None:
    async def go() -> None:
        repeats, work = Repeats[int](LoopClock()), Work()
        work.fault = NoRoom("full")
        said = await asyncio.gather(
            *(repeats.once("k", "a", work, ten) for _ in range(2)), return_exceptions=True
        )
        assert [type(one) for one in said] == [NoRoom, NoRoom]
        work.fault = None
        assert await repeats.once("k", "a", work, ten) == 1

    run_virtually(go())


def test_a_key_stands_for_one_request() -> None:
    async def go() -> None:
        repeats, work = Repeats[int](LoopClock()), Work()
        await repeats.once("k", "a", work, ten)
        with pytest.raises(InvalidMessage) as refused:
            await repeats.once("k", "b", work, ten)
        assert refused.value.field == "Idempotency-Key"

    run_virtually(go())


def test_memory_is_bounded_and_the_oldest_that_is_over_goes_first() -> None:
    async def go() -> None:
        repeats, work = Repeats[int](LoopClock(), most=2), Work()
        for key in "abc":
            await repeats.once(key, 0, work, ten)
        assert len(repeats) == 2
        assert await repeats.once("c", 0, work, ten) == 3
        assert await repeats.once("a", 0, work, ten) == 4  # forgotten, and done again

    run_virtually(go())


def test_nothing_under_way_is_forgotten() -> None:
    async def go() -> None:
        repeats, work = Repeats[int](LoopClock(), most=1), Work()
        first = asyncio.get_running_loop().create_task(repeats.once("a", 0, work, ten))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await repeats.once("b", 0, work, ten)
        assert await first == 1

    run_virtually(go())


def test_whoever_asks_again_is_told_when_the_first_was_given_up() -> None:
    async def go() -> None:
        repeats, work = Repeats[int](LoopClock()), Work()
        loop = asyncio.get_running_loop()
        first = loop.create_task(repeats.once("k", 0, work, ten))
        await asyncio.sleep(0)
        again = loop.create_task(repeats.once("k", 0, work, ten))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(Overloaded):
            await again
        assert await repeats.once("k", 0, work, ten) == 1

    run_virtually(go())


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ä"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidMessage):
        checked_key(key)


def test_a_key_is_what_the_caller_likes() -> None:
    assert checked_key("call 7: {again}") == "call 7: {again}"
    assert checked_key(None) is None
