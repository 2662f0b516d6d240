"""How others are known to lose live sessions, held against a world of our own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from heliovox.client.events import Resumed
from heliovox.client.session import Session
from heliovox.protocol import messages as m
from shared.tasks import Tasks
from tests.chaos.stage import Stage, stage
from tests.support.running_centre import until
from tests.support.talk import spoken

pytestmark = [pytest.mark.process, pytest.mark.anyio, pytest.mark.timeout(240)]

SEATS = 4
PAUSE = " " * 30
FRANKFURT = (50.11, 8.68)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("world") / "home"
    async with stage(folder, SEATS, "scripted", lambda *_: None) as found:
        yield found


class Caller:
    """Says texts, and hears them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.finals: list[str] = []
        self.resumed: list[Resumed] = []
        self.ended = False

    @property
    def id(self) -> str:
        return self.session.started.session

    @property
    def node(self) -> str:
        started = self.session.machine.started
        return "" if started is None else started.node

    async def listen(self) -> None:
        async for event in self.session:
            if isinstance(event, m.Final):
                self.finals.append(event.text)
            elif isinstance(event, Resumed):
                self.resumed.append(event)
            self.ended = self.ended or isinstance(event, m.Ended)

    async def half_a_word(self, text: str) -> bytes:
        """Says the first part; returns the rest."""
        audio = spoken(text + PAUSE)
        await self.session.send(audio[:6000])
        return audio[6000:]


async def call(world: Stage, work: Any) -> None:
    """A caller from Frankfurt, while `work(caller)` goes on with him."""
    tasks = Tasks()
    async with world.client.session(place=FRANKFURT, policy="eu-only") as session:
        caller = Caller(session)
        listening = tasks.begin(caller.listen(), "listen")
        try:
            async with asyncio.timeout(90):
                await work(caller)
                await session.finish()
                await listening
        finally:
            await tasks.end()
    assert caller.ended


async def state(world: Stage, session: str) -> str:
    return (await world.operator.session(session)).state


async def test_a_job_that_is_lost_because_its_worker_died(world: Stage) -> None:
    """Published of agents' workers: a job belongs to the process that took it. The process dies,
    and the job with it; its caller hears silence until he hangs up.

    Here the node is killed in the middle of a word, and the whole word comes from another one.
    """

    async def work(caller: Caller) -> None:
        rest = await caller.half_a_word("hello there")
        died = caller.node
        await world.world.kill(died)
        await caller.session.send(rest)

        async def heard() -> bool:
            return bool(caller.finals)

        await until(heard, 30)
        assert caller.node != died
        assert [one.node for one in caller.resumed] == [caller.node]
        assert caller.finals == ["hello there"]
        await world.node_again(died)

    await call(world, work)


async def test_a_session_that_is_deleted_everywhere_because_one_nodes_count_came_to_zero(
    world: Stage,
) -> None:
    """Published of media servers: a room lives on several nodes. The last participant of one node
    leaves it, its count comes to zero, and it deletes the room for the whole fleet.

    Here a session leaves its node for another one, which has none then. It lives on, at one node,
    as long as its caller speaks; and its end is told once.
    """

    async def work(caller: Caller) -> None:
        first, rest = caller.node, await caller.half_a_word("one two")
        moved = await world.operator.move(caller.id)
        assert moved.from_node == first
        await caller.session.send(rest)

        async def elsewhere() -> bool:
            return caller.node == moved.to_node

        await until(elsewhere, 30)

        async def left() -> bool:
            rows = {row.node: row for row in await world.operator.nodes()}
            return rows[first].held == 0 and rows[moved.to_node].held == 1

        await until(left, 30)
        assert await state(world, caller.id) == "live"
        await caller.session.send(spoken("three" + PAUSE))

        async def heard() -> bool:
            return caller.finals == ["one two", "three"]

        await until(heard, 30)

    await call(world, work)


async def test_a_broker_fail_over_that_leaves_callers_hanging(world: Stage) -> None:
    """Published of services on a message broker: it fails over, and whoever was connected waits
    for messages that went to the old one.

    Here words never go over the broker. It is killed, callers are heard on, one who loses his
    connection meanwhile comes back to his node, and another comes new to a node with a key.
    """

    async def work(caller: Caller) -> None:
        rest = await caller.half_a_word("good morning")
        here = caller.node
        await world.world.kill("centre")
        try:
            world.links[here].reset()
            await caller.session.send(rest)

            async def heard() -> bool:
                return caller.finals == ["good morning"]

            await until(heard, 30)
            assert [one.node for one in caller.resumed] == [here]
            straight = world.straight(here)
            async with straight.session(place=FRANKFURT, policy="eu-only") as late:
                assert late.started.node == here
        finally:
            await world.world.start_again("centre")

        async def known() -> bool:
            return await state(world, caller.id) == "live"

        await until(known, 30)

    await call(world, work)
