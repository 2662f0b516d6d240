"""Sessions that go on at another node: real nodes, two control planes, callers by hand."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from heliovox.client import Client, Gap, Resumed
from heliovox.protocol.messages import Final
from tests.support.real_nodes import RealNode, real_node
from tests.support.recovering import Caller
from tests.support.running_centre import PARIS, Centre, Plane, until
from tests.support.talk import spoken as spoken_alone

pytestmark = [pytest.mark.process, pytest.mark.anyio]

TEXTS = ["hello there", "one two three", "good morning"]
PAUSE = " " * 30
"""Ends an utterance."""
HALF_A_WORD = 4_000


def spoken(text: str) -> bytes:
    return spoken_alone(text + PAUSE)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class World:
    centre: Centre
    planes: list[Plane]
    stack: AsyncExitStack
    nodes: dict[str, RealNode] = field(default_factory=dict)
    hurt: set[str] = field(default_factory=set)

    async def node(self, name: str) -> None:
        """Ready, and known to all control planes."""
        region = "eu-central" if name.startswith("c") else "eu-west"
        starting = real_node(self.centre, region, name, seats=16)
        self.nodes[name] = await self.stack.enter_async_context(starting)

        async def known() -> bool:
            return all([(await p.nodes()).get(name) == "ready" for p in self.planes])

        await until(known, 60)

    async def caller(self) -> Caller:
        """A session that has said something."""
        caller = await Caller(self.planes[0]).begin()
        await caller.say(spoken(TEXTS[0]))
        return caller

    async def seen(self, session: str, state: str, node: str) -> dict[str, Any]:
        """As both control planes see it, once they do."""
        found: list[dict[str, Any]] = []

        async def so() -> bool:
            found[:] = [
                (await plane.ask("GET", f"/v1/sessions/{session}")).json() for plane in self.planes
            ]
            return all((one.get("state"), one.get("node")) == (state, node) for one in found)

        await until(so)
        return found[0]

    async def operator(self, method: str, path: str, body: Any = None, plane: int = 0) -> Any:
        at = self.planes[plane]
        answer = await at.ask(method, path, body, key=at.key("operator"))
        return answer.json() if answer.content else None

    async def node_is(self, name: str, state: str) -> None:
        async def so() -> bool:
            return all([(await plane.nodes()).get(name) == state for plane in self.planes])

        await until(so)

    async def nobody_twice(self) -> None:
        async def so() -> bool:
            return not sum([await plane.metric("sessions_twice") for plane in self.planes])

        await until(so)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        centre = Centre(tmp_path_factory.mktemp("world"))
        stack.push_async_callback(centre.stop)
        await centre.start()
        planes = [await centre.plane(name) for name in ("p-1", "p-2")]
        running = World(centre, planes, stack)
        await asyncio.gather(*(running.node(name) for name in ("c-1", "c-2")))
        yield running
        for plane in planes:
            assert plane.complaints() == []
        for node in running.nodes.values():
            lines = node.log.read_text().splitlines()
            assert [line for line in lines if "Traceback" in line or " ERROR " in line] == []


async def test_a_session_is_moved_as_often_as_one_likes_and_loses_no_word(world: World) -> None:
    caller = await world.caller()
    for at, text in enumerate(TEXTS[1:], 2):
        await caller.hear(at - 1)
        said = await world.operator("POST", f"/v1/sessions/{caller.session}/move", {}, at % 2)
        assert said["from_node"] == caller.node, said
        await caller.say(spoken(text))
        await caller.follow(said["to_node"])
        await world.seen(caller.session, "live", said["to_node"])
    assert await caller.finish() == TEXTS
    assert len(caller.nodes) == 3
    seen = await world.seen(caller.session, "ended", caller.node)
    assert seen["audio_ms"] == caller.ended["audio_ms"]  # type: ignore[index]
    await world.nobody_twice()


async def test_a_drained_nodes_sessions_go_elsewhere_and_one_plane_moves_each(
    world: World,
) -> None:
    callers = [await world.caller() for _ in range(6)]
    for caller in callers:
        await caller.hear(1)
    full = max({one.node for one in callers}, key=[one.node for one in callers].count)
    there = [one for one in callers if one.node == full]
    await world.operator("POST", f"/v1/nodes/{full}/drain", {})
    follows = [asyncio.create_task(one.follow()) for one in there]  # noqa: TID251 awaited below
    await asyncio.gather(*follows)

    async def done() -> bool:
        return bool((await world.operator("GET", f"/v1/nodes/{full}/drain"))["done"])

    await until(done)
    for caller in callers:
        await caller.say(spoken(TEXTS[1]))
    assert [await caller.finish() for caller in callers] == [TEXTS[:2]] * len(callers)
    assert all(len(one.nodes) == 2 for one in there)
    told = sum([await plane.metric("moves_total", "told") for plane in world.planes])
    assert told == len(there) + 2
    await world.nobody_twice()
    await world.operator("POST", f"/v1/nodes/{full}/undrain", {})
    await world.node_is(full, "ready")


async def test_a_node_that_is_told_to_stop_is_empty_before_it_does(world: World) -> None:
    await world.node("c-3")
    operator = world.operator
    for other in ("c-1", "c-2"):
        await operator("POST", f"/v1/nodes/{other}/drain?keep=true", {})
    await world.node_is("c-1", "draining")
    await world.node_is("c-2", "draining")
    callers = [await world.caller() for _ in range(3)]
    assert {caller.node for caller in callers} == {"c-3"}
    for other in ("c-1", "c-2"):
        await operator("POST", f"/v1/nodes/{other}/undrain", {})
    world.nodes["c-3"].tell(signal.SIGTERM)
    await asyncio.gather(*(caller.follow() for caller in callers))
    async with asyncio.timeout(20):
        assert await world.nodes["c-3"].process.wait() == 0
    for caller in callers:
        await caller.say(spoken(TEXTS[1]))
        assert await caller.finish() == TEXTS[:2]


async def test_a_node_that_hangs_gives_up_what_went_on_elsewhere_once_it_runs_again(
    world: World,
) -> None:
    """Two nodes hold it for a while; the newer one wins, and the words are those of one."""
    caller = await world.caller()
    await caller.hear(1)
    hung = world.nodes[caller.node]
    hung.tell(signal.SIGSTOP)
    await caller.say(spoken(TEXTS[1])[:HALF_A_WORD])
    await caller.go_on(await caller.resume())
    await world.seen(caller.session, "live", caller.node)

    async def twice() -> bool:
        return sum([await plane.metric("sessions_twice") for plane in world.planes]) > 0

    await until(twice)
    hung.tell(signal.SIGCONT)
    await world.nobody_twice()
    await caller.say(spoken(TEXTS[1])[HALF_A_WORD:])
    assert await caller.finish() == TEXTS[:2]
    seen = await world.seen(caller.session, "ended", caller.node)
    assert seen["reason"] == "finish"


async def test_a_node_that_dies_in_the_middle_of_a_word_costs_no_word(world: World) -> None:
    caller = await world.caller()
    await caller.hear(1)
    await caller.say(spoken(TEXTS[1])[:HALF_A_WORD])
    dead, used = caller.node, caller.token
    world.nodes[dead].tell(signal.SIGKILL)
    assert (await caller.resume("forged"))["code"] == "resume_refused"
    placed = await caller.resume()
    assert placed["session"] == caller.session, placed
    await caller.go_on(placed)
    assert caller.node != dead
    await caller.say(spoken(TEXTS[1])[HALF_A_WORD:])
    seen = await world.seen(caller.session, "live", caller.node)
    assert (seen["came_from"], seen["recovers"]) == (dead, True)
    assert (await caller.resume(used))["code"] == "resume_refused"
    assert await caller.finish() == TEXTS[:2]
    why = await world.operator("GET", f"/v1/decisions/{placed['decision']}")
    assert (why["continues"], why["because"], why["came_from"]) == (
        caller.session, "resumed", dead,
    )  # fmt: skip
    await world.nobody_twice()


async def sdk_caller(world: World, pause_s: float) -> tuple[list[str], list[Resumed]]:
    """The SDK's own: it says all texts three times over, and is told what it said."""
    plane = world.planes[0]
    client = Client(control=plane.url, key=plane.key(), proxy=None)
    place = (PARIS["place"]["lat"], PARIS["place"]["lon"])
    async with client.session(place=place) as session:

        async def speak() -> None:
            audio = b"".join(spoken(text) for text in TEXTS * 3)
            for at in range(0, len(audio), 3200):
                await session.send(audio[at : at + 3200])
                await asyncio.sleep(pause_s)
            await session.finish()

        async with asyncio.TaskGroup() as group:
            group.create_task(speak())
            events = [event async for event in session]
    assert not any(isinstance(event, Gap) for event in events)
    finals = [event for event in events if isinstance(event, Final)]
    assert [final.seq for final in finals] == list(range(1, len(finals) + 1))
    return [final.text for final in finals], [e for e in events if isinstance(e, Resumed)]


async def test_the_sdk_goes_on_where_nodes_die_or_hang(world: World) -> None:
    """One is killed and one stopped in the middle of words; whoever was there goes elsewhere."""
    for name in ("c-1", "c-2", "c-3"):
        if name not in world.nodes or world.nodes[name].process.returncode is not None:
            await world.node(name)
    calls = [asyncio.create_task(sdk_caller(world, 0.1)) for _ in range(9)]  # noqa: TID251
    stopped = ""
    try:
        await hurt(world, len(calls), signal.SIGKILL)
        stopped = await hurt(world, len(calls), signal.SIGSTOP)
        heard = await asyncio.gather(*calls)
    finally:
        if stopped:
            world.nodes[stopped].tell(signal.SIGCONT)
    assert [texts for texts, _ in heard] == [TEXTS * 3] * len(calls)
    assert sum(bool(resumed) for _, resumed in heard) >= 3
    await world.nobody_twice()


async def hurt(world: World, calls: int, number: int) -> str:
    """The node that has the most of so many calls, once all of them are live."""
    nodes: list[str] = []

    async def all_live() -> bool:
        known = await world.operator("GET", "/v1/sessions?state=live")
        nodes[:] = [one["node"] for one in known if one["node"] not in world.hurt]
        return len(nodes) == calls

    await until(all_live)
    full = max(nodes, key=nodes.count)
    world.nodes[full].tell(number)
    world.hurt.add(full)
    return full
