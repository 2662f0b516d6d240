"""A burst onto a fleet with C free seats: C are accepted, and everybody else is told why not."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.burst import Answers, burst, call, far_world, hang_up, redeemed, request
from tests.support.running_centre import until

pytestmark = [pytest.mark.process, pytest.mark.anyio, pytest.mark.timeout(240)]
SEATS = {("eu-central", "c-1"): 70, ("eu-central", "c-2"): 50, ("eu-west", "w-1"): 60}
LINK_S = 0.04


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_as_many_are_accepted_as_there_are_seats(tmp_path: Path) -> None:
    """Two control planes with stale views of each other's seats; the nodes are the authority."""
    capacity = sum(SEATS.values())
    async with far_world(tmp_path, SEATS, link_s=LINK_S, ticket_ttl_s=60.0) as world:
        answers = await burst(world.planes, 600)
        assert (answers.count, answers.closed, answers.silent, answers.other) == (600, 0, 0, [])
        assert set(answers.refused) <= {"no_room", "overloaded"}
        assert len(answers.placed) == len(answers.sessions) == capacity
        async with redeemed(answers.placed) as (once, twice):
            assert (once, twice) == (capacity, 0)

            async def all_sit() -> bool:
                return await world.reserved() == (capacity, 0)

            await until(all_sit)
        for plane in world.planes:
            assert plane.complaints() == []


async def test_callers_who_lose_their_answers_and_ask_again_take_one_seat(tmp_path: Path) -> None:
    """Each asks, hangs up, and asks again twice with his key, to the same control plane."""
    seats = {("eu-central", "c-1"): 60}
    async with far_world(tmp_path, seats, link_s=LINK_S, ticket_ttl_s=60.0) as world:
        answers, lost = Answers(), Answers()

        async def one(number: int) -> None:
            plane = world.planes[number % 2]
            data = request(plane, number)
            await hang_up(plane, data)
            first, second = Answers(), Answers()
            await asyncio.gather(call(plane, data, first), call(plane, data, second))
            assert first.sessions == second.sessions
            answers.placed += first.placed
            lost.refused += first.refused

        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(one(number))
        assert (len(answers.sessions), lost.refused.total()) == (40, 0)
        async with redeemed(answers.placed) as (once, _):
            assert once == 40

            async def nothing_else_is_held() -> bool:
                return await world.reserved() == (40, 0)

            await until(nothing_else_is_held)


async def test_a_control_plane_killed_in_the_middle_takes_no_seat_with_it(tmp_path: Path) -> None:
    """Its callers see a closed connection; its seats are free when their tickets are over."""
    capacity = 60
    seats = {("eu-central", "c-1"): capacity}
    async with far_world(tmp_path, seats, link_s=LINK_S, ticket_ttl_s=6.0) as world:
        first, second = world.planes

        def killed(answers: Answers) -> None:
            if len(answers.placed) == 10:
                first.process.kill()

        answers = await burst(world.planes, 200, killed)
        assert (answers.count, answers.silent, answers.other) == (200, 0, [])
        assert answers.closed > 0
        assert len(answers.sessions) == len(answers.placed) <= capacity
        await first.process.wait()

        async def all_free() -> bool:
            return await world.reserved() == (0, 0)

        await until(all_free, 30.0)
        again = await burst([second], 2 * capacity)
        assert (len(again.sessions), again.refused.total()) == (capacity, capacity)
        assert not again.sessions & answers.sessions
        assert first.process.returncode == -signal.SIGKILL
