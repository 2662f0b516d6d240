"""Waiting for a seat with real processes: on the caller's own connection, and in turn."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from heliovox.client.client import Client
from heliovox.client.control import ControlPlane
from heliovox.protocol import messages as m
from heliovox.protocol.control import InLine, SessionRequest
from heliovox.protocol.messages import Place
from tests.support.real_nodes import RealNode, real_node
from tests.support.running_centre import PARIS, ROOT, Centre, Plane, until
from tests.support.talk import spoken

pytestmark = [pytest.mark.process, pytest.mark.anyio]
WHERE = Place(48.85, 2.35)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def world(folder: Path) -> str:
    """The one that ships; who finds it full waits for a minute, and operators count twice."""
    text = (ROOT / "shared/regions/regions.yaml").read_text()
    text = text.replace("when_full: refuse", "when_full: wait\n    wait_s: 60")
    path = folder / "regions.yaml"
    path.write_text(text + "\nwaiting: {weights: {operator: 2}}\n")
    return str(path)


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[tuple[Centre, Plane, RealNode]]:
    """A centre, and a node of two seats."""
    centre = Centre(folder)
    try:
        await centre.start()
        plane = await centre.plane(regions_file=world(folder))
        async with real_node(centre, "eu-central", "c-1", seats=2) as node:

            async def seen() -> bool:
                return await plane.nodes() == {"c-1": "ready"}

            await until(seen)
            yield centre, plane, node
            assert "Traceback" not in node.log.read_text()
        assert plane.complaints() == []
    finally:
        await centre.stop()


def straight(node: RealNode, plane: Plane) -> Client:
    return Client(node.url, plane.key(), proxy=None)


def call(node: RealNode, plane: Plane) -> Any:
    """A WebSocket of somebody who follows no redirect."""
    return connect(
        node.url.replace("http", "ws") + "/v1/stream",
        additional_headers={"Authorization": f"Bearer {plane.key()}"},
        subprotocols=[Subprotocol("heliovox.v1")],
        compression=None,
        proxy=None,
    )


async def start(socket: ClientConnection) -> dict[str, Any]:
    said = {"type": "start", "policy": PARIS["policy"], "place": PARIS["place"]}
    await socket.send(json.dumps(said))
    return await told(socket)


async def told(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        answer: dict[str, Any] = json.loads(await socket.recv())
    return answer


async def waiting(plane: Plane, count: int) -> None:
    async def so_many() -> bool:
        return await plane.metric("waiting") == count

    await until(so_many)


async def test_who_comes_straight_to_a_full_node_waits_on_his_own_connection(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as (_, plane, node):
        lines: asyncio.Queue[InLine] = asyncio.Queue()
        policy = str(PARIS["policy"])
        async with call(node, plane) as one, call(node, plane) as two:
            assert [(await start(socket))["type"] for socket in (one, two)] == ["started"] * 2

            async def waits() -> list[str]:
                client = straight(node, plane)
                async with client.session(
                    policy=policy, place=WHERE, waits=lines.put_nowait
                ) as session:
                    assert session.started.node == "c-1"
                    await session.send(spoken("hello   "))
                    await session.finish()
                    return [event.text async for event in session if isinstance(event, m.Final)]

            async with asyncio.TaskGroup() as group:
                patient = group.create_task(waits())
                line = await asyncio.wait_for(lines.get(), 20)
                assert (line.position, 0 < line.expires_s <= 60) == (1, True)
                async with call(node, plane) as raw:  # sends at once, and hangs up
                    first = await start(raw)
                    assert (first["type"], first["position"]) == ("waiting", 2)
                    await raw.send(spoken("nobody hears this"))
                    await waiting(plane, 2)
                    raw.transport.abort()
                await waiting(plane, 1)
                await one.close()
                assert await patient == ["hello"]
        assert await plane.metric("waiting_served_total") == 1
        assert await plane.metric("waiting_left_total") == 1


async def test_turns_are_fair_over_the_api_and_ends_are_typed(tmp_path: Path) -> None:
    async with stage(tmp_path) as (centre, plane, node):
        held = [(await plane.place()).json() for _ in range(2)]
        lines = []
        for key in ("caller", "caller", "caller", "operator", "operator"):
            answer = await plane.ask(
                "POST", "/v1/sessions", PARIS, plane.key(key), prefer="respond-async"
            )
            assert answer.status_code == 202, answer.text
            lines.append((plane.key(key), answer.json()))
        assert [line["position"] for _, line in lines] == [1, 2, 3, 2, 3]
        assert (await look(plane, lines[3])).json()["position"] == 2
        theirs = (plane.key("operator"), lines[0][1])
        assert (await look(plane, theirs)).status_code == 404
        changed = asyncio.get_running_loop().create_task(look(plane, lines[2], wait_s=20, after=1))
        for at in (0, 3, 4):
            seat = held.pop(0)["session"]
            assert (await plane.ask("DELETE", f"/v1/sessions/{seat}")).status_code == 204
            placed = await look(plane, lines[at], wait_s=20)
            assert (placed.status_code, placed.json().get("node")) == (200, "c-1"), at
            held.append(placed.json())
        news = await changed
        assert (news.status_code, news.json()["version"] > 1) == (202, True)
        async with call(node, plane) as raw:
            assert (await start(raw))["type"] == "waiting"
            plane.process.kill()
            said = await told(raw)
            while said["type"] == "waiting":
                said = await told(raw)
            assert (said["type"], said["code"]) == ("error", "centre_unreachable")
            assert said["retryable"]
        await plane.process.wait()
        again = await centre.plane("p-2", regions_file=world(tmp_path))
        sdk = ControlPlane(again.url, again.key(), proxy=None)

        async def seen() -> bool:
            return await again.nodes() == {"c-1": "ready"}

        await until(seen)
        assert (await look(again, lines[1])).status_code == 404
        told_: asyncio.Queue[InLine] = asyncio.Queue()
        request = SessionRequest(policy=str(PARIS["policy"]), place=WHERE)
        placing = asyncio.get_running_loop().create_task(sdk.place(request, told_.put_nowait))
        await asyncio.wait_for(told_.get(), 20)
        placing.cancel()
        await asyncio.gather(placing, return_exceptions=True)
        await waiting(again, 0)
        async with call(node, again) as raw:
            assert (await start(raw))["type"] == "waiting"
            assert await again.stop() == 0
            said = await told(raw)
            while said["type"] == "waiting":
                said = await told(raw)
            assert said["code"] in ("no_room", "centre_unreachable")


async def look(
    plane: Plane, line: tuple[str, dict[str, Any]], wait_s: float = 0, after: int | None = None
) -> httpx.Response:
    key, said = line
    query = f"wait_s={wait_s}" + ("" if after is None else f"&after={after}")
    return await plane.ask("GET", f"/v1/waiting/{said['waiting']}?{query}", key=key)
