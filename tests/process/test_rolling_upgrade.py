"""A whole world is upgraded node by node under fifty live sessions, and no word is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliovox.client.client import Client
from heliovox.protocol import messages as m
from tests.chaos.stage import NAMES, Stage, stage
from tests.support.talk import spoken

pytestmark = [pytest.mark.process, pytest.mark.anyio, pytest.mark.timeout(240)]

SESSIONS = 50
TEXTS = ("hello there", "one two three", "good morning", "never lost")
PAUSE = " " * 30
PLACES = ((50.11, 8.68, "eu-only"), (53.35, -6.26, "eu-only"), (39.04, -77.49, "anywhere"))
PACKET = 3200


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "home", SESSIONS, "scripted", lambda *_: None) as found:
        yield found


class Caller:
    """Says the same texts again and again until he is told that it is enough."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.said: list[str] = []
        self.heard: list[str] = []
        self.nodes: list[str] = []
        self.regions: set[str] = set()
        self.ended = 0

    async def run(self, client: Client, enough: asyncio.Event, began: asyncio.Event) -> None:
        *place, policy = PLACES[self.number % len(PLACES)]
        async with client.session(place=tuple(place), policy=policy, partials=False) as session:  # type: ignore[arg-type]
            began.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._speak(session, enough))
                async for event in session:
                    self._take(event)
                    started = session.machine.started
                    if started is not None and self.nodes[-1:] != [started.node]:
                        self.nodes.append(started.node)
                        self.regions.add(started.region or "")

    async def _speak(self, session: object, enough: asyncio.Event) -> None:
        while not enough.is_set():
            text = TEXTS[(self.number + len(self.said)) % len(TEXTS)]
            self.said.append(text)
            audio = spoken(text + PAUSE)
            for at in range(0, len(audio), PACKET):
                await session.send(audio[at : at + PACKET])  # type: ignore[attr-defined]
                await asyncio.sleep(PACKET / 32000)
        await session.finish()  # type: ignore[attr-defined]

    def _take(self, event: object) -> None:
        if isinstance(event, m.Final):
            self.heard.append(event.text)
        self.ended += isinstance(event, m.Ended)


async def test_an_upgrade_of_every_node_under_fifty_sessions_loses_nothing(world: Stage) -> None:
    callers = [Caller(number) for number in range(SESSIONS)]
    enough = asyncio.Event()
    async with asyncio.timeout(200), asyncio.TaskGroup() as group:
        for caller in callers:
            began = asyncio.Event()
            group.create_task(caller.run(world.client, enough, began))
            await began.wait()
        for node in NAMES:
            await world.stop_node(node, 0.0)
        enough.set()
    for caller in callers:
        assert caller.heard == caller.said, caller.nodes
        assert caller.ended == 1
    moved = [caller for caller in callers if len(caller.nodes) > 1]
    assert len(moved) == SESSIONS, "somebody sat at a node that was never stopped"
    eu = [one for one in callers if PLACES[one.number % len(PLACES)][2] == "eu-only"]
    assert all(one.regions <= {"eu-central", "eu-west"} for one in eu)
