import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from control_plane.waiting import Changes, Waiting
from shared.errors import BusFailed, NoRoom
from tests.support.virtual_time import run_virtually

FULL = NoRoom("full", decision="d-1")


class LoopClock:
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Seats:
    """As many as are put there."""

    def __init__(self, changes: Changes) -> None:
        self.free = 0
        self.attempts = 0
        self.changes = changes

    def add(self, count: int = 1) -> None:
        self.free += count
        self.changes.changed()

    async def take(self) -> str:
        self.attempts += 1
        if not self.free:
            raise NoRoom("full", decision=f"d-{self.attempts}")
        self.free -= 1
        return f"seat at {asyncio.get_running_loop().time():g}"


@asynccontextmanager
async def waiting(most: int = 10) -> AsyncIterator[tuple[Waiting, Seats]]:
    changes = Changes()
    service = Waiting(changes, LoopClock(), most=most, settle_s=0.1)
    async with asyncio.TaskGroup() as group:
        ready = asyncio.Event()
        running = group.create_task(service.run(ready))
        await ready.wait()
        yield service, Seats(changes)
        running.cancel()


def test_whoever_waits_gets_the_seat_that_becomes_free() -> None:
    async def go() -> None:
        async with waiting() as (line, seats), asyncio.TaskGroup() as group:
            got = group.create_task(line.wait("a", 10, seats.take, FULL))
            await asyncio.sleep(4)
            seats.add()
            assert await got == "seat at 4.1"
            assert (len(line), line.served) == (0, 1)

    run_virtually(go())


def test_the_refusal_names_the_last_decision() -> None:
    async def go() -> None:
        async with waiting() as (line, seats):
            with pytest.raises(NoRoom) as refused:
                await line.wait("a", 10, seats.take, FULL)
            assert refused.value.decision == "d-1"
            assert asyncio.get_running_loop().time() == pytest.approx(9.9)
            assert (len(line), line.given_up) == (0, 1)

    run_virtually(go())


def test_seats_go_to_those_who_came_first() -> None:
    async def go() -> None:
        got: list[int] = []

        async def one(number: int) -> None:
            await line.wait("a", 10, seats.take, FULL)
            got.append(number)

        async with waiting() as (line, seats):
            async with asyncio.TaskGroup() as group:
                for number in range(4):
                    group.create_task(one(number))
                for _ in range(4):
                    await asyncio.sleep(1)
                    seats.add()
            assert got == [0, 1, 2, 3]

    run_virtually(go())


def test_one_line_does_not_hold_up_another() -> None:
    async def go() -> None:
        async with waiting() as (line, seats), asyncio.TaskGroup() as group:
            other = Seats(seats.changes)
            first = group.create_task(line.wait("a", 10, seats.take, FULL))
            second = group.create_task(line.wait("b", 10, other.take, FULL))
            await asyncio.sleep(1)
            other.add()
            assert await second == "seat at 1.1"
            assert line.busy("a")
            assert not line.busy("b")
            seats.add()
            await first

    run_virtually(go())


def test_only_so_many_wait() -> None:
    async def go() -> None:
        async with waiting(most=2) as (line, seats), asyncio.TaskGroup() as group:
            held = [group.create_task(line.wait("a", 10, seats.take, FULL)) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(NoRoom):
                await line.wait("b", 10, seats.take, FULL)
            assert asyncio.get_running_loop().time() == 0
            assert line.crowded_out == 1
            seats.add(2)
            await asyncio.gather(*held)

    run_virtually(go())


def test_the_end_of_the_control_plane_refuses_all_at_once() -> None:
    async def go() -> None:
        async def refused() -> None:
            with pytest.raises(NoRoom):
                await line.wait("a", 1000, seats.take, FULL)

        async with asyncio.TaskGroup() as group, waiting() as (line, seats):
            for _ in range(3):
                group.create_task(refused())
            await asyncio.sleep(1)
        assert asyncio.get_running_loop().time() < 10

    run_virtually(go())


def test_another_fault_ends_the_waiting() -> None:
    async def go() -> None:
        async def broken() -> str:
            raise BusFailed("gone")

        async with waiting() as (line, _):
            with pytest.raises(BusFailed):
                await line.wait("a", 10, broken, FULL)
            assert len(line) == 0

    run_virtually(go())


def test_whoever_goes_away_leaves_the_line() -> None:
    async def go() -> None:
        async with waiting() as (line, seats), asyncio.TaskGroup() as group:
            first = group.create_task(line.wait("a", 10, seats.take, FULL))
            second = group.create_task(line.wait("a", 10, seats.take, FULL))
            await asyncio.sleep(1)
            first.cancel()
            await asyncio.sleep(0)
            seats.add()
            assert (await second).startswith("seat")
            assert len(line) == 0

    run_virtually(go())
