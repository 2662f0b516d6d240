"""A burst onto a fleet with C free seats: C are accepted, and everybody else is told why not."""

from pathlib import Path

import pytest

from tests.support.burst import burst, far_world, redeemed
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
