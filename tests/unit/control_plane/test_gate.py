import asyncio

import pytest

from control_plane.gate import Gate
from shared.errors import Overloaded
from tests.support.virtual_time import run_virtually


def test_so_many_are_inside_and_the_others_come_in_order() -> None:
    async def go() -> None:
        gate, inside, came = Gate(2), 0, []

        async def one(number: int) -> None:
            nonlocal inside
            async with gate.turn():
                inside += 1
                assert inside <= 2
                came.append(number)
                await asyncio.sleep(1)
                inside -= 1

        async with asyncio.TaskGroup() as group:
            for number in range(7):
                group.create_task(one(number))
        assert came == list(range(7))
        assert asyncio.get_running_loop().time() == pytest.approx(4)
        assert gate.waiting == 0

    run_virtually(go())


def test_whom_there_is_no_place_in_line_for_is_told_at_once() -> None:
    async def go() -> None:
        gate = Gate(1, most_waiting=1)
        async with gate.turn():
            second = asyncio.get_running_loop().create_task(gate.turn().__aenter__())
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await gate.turn().__aenter__()
            assert (asyncio.get_running_loop().time(), gate.turned_away) == (0, 1)
        await second

    run_virtually(go())


def test_whose_turn_does_not_come_is_told_in_time_and_takes_no_other_turn() -> None:
    async def go() -> None:
        gate = Gate(1, wait_s=5)
        async with gate.turn():
            with pytest.raises(Overloaded):
                await gate.turn().__aenter__()
            assert asyncio.get_running_loop().time() == pytest.approx(5)
        async with gate.turn():
            assert gate.waiting == 0

    run_virtually(go())


def test_whoever_fails_inside_makes_way() -> None:
    async def go() -> None:
        gate = Gate(1)
        for _ in range(3):
            with pytest.raises(ValueError, match="broken"):
                async with gate.turn():
                    raise ValueError("broken")

    run_virtually(go())
