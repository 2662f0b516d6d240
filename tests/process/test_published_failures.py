"""How others are known to fail where many callers come at once, held against our own parts."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.burst import Answers, burst, far_world
from tests.support.running_centre import until

pytestmark = [pytest.mark.process, pytest.mark.anyio, pytest.mark.timeout(240)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def all_told(answers: Answers, count: int) -> bool:
    return (answers.count, answers.closed, answers.silent, answers.other) == (count, 0, 0, [])


async def test_a_burst_that_is_dispatched_to_workers_which_silently_drop_it(
    tmp_path: Path,
) -> None:
    """Published of dispatchers of voice agents: jobs of a burst go to workers that accept none and
    say nothing, and their callers wait for ever.

    Here the nearest node takes its requests off the wire and answers none of them (it is stopped).
    Every caller has a seat on the other node, within the time that a silent node may cost. When it
    goes on it finds requests that are over, and holds none of their seats.
    """
    seats = {("eu-central", "c-1"): 40, ("eu-west", "w-1"): 40}
    async with far_world(tmp_path, seats, ticket_ttl_s=60.0) as world:
        near, far = world.nodes
        near.tell(signal.SIGSTOP)
        answers = await burst(world.planes, 30)
        assert all_told(answers, 30)
        assert {one["node"] for one in answers.placed} == {far.name}
        assert len(answers.sessions) == 30
        near.tell(signal.SIGCONT)

        async def it_holds_no_seat() -> bool:
            seen = (await world.planes[0].ask("GET", "/v1/nodes")).json()
            node = next(one for one in seen if one["node"] == near.name)
            return node["state"] == "ready" and node["reserved"] == 0

        await until(it_holds_no_seat, 20.0)


async def test_one_more_than_fits_because_load_is_sampled(tmp_path: Path) -> None:
    """Published of media servers and agents' workers: load is looked at every few seconds, so all
    who come between two looks are let in, N + 1 and more.

    Here one seat is left, and two control planes that both see it free send thirty callers each to
    it at one moment: one sits down.
    """
    seats = {("eu-central", "c-1"): 1}
    async with far_world(tmp_path, seats, ticket_ttl_s=60.0) as world:
        answers = await burst(world.planes, 60)
        assert all_told(answers, 60)
        assert len(answers.placed) == 1
        assert set(answers.refused) == {"no_room"}

        async def it_holds_one() -> bool:
            return await world.reserved() == (0, 1)

        await until(it_holds_one)
        late = await asyncio.gather(*(plane.place() for plane in world.planes))
        assert [one.status_code for one in late] == [503, 503]
