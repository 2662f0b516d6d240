"""Bad days of a centre: its bus gone, itself killed, its files broken. Each test has its own."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from shared import subjects
from shared.bundle import verify_bundle
from shared.clock import wall_s
from shared.exchange import NodeAsk, PlaceAnswer
from shared.regions.file import default_world_path
from tests.support.fake_node import FakeNode
from tests.support.running_centre import Centre, Plane, until

pytestmark = pytest.mark.process


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Centre]:
    centre = await Centre(folder).start()
    try:
        yield centre
    finally:
        await centre.stop()


def on_a_centre(folder: Path, test: Callable[[Centre], Awaitable[None]]) -> None:
    async def go() -> None:
        async with asyncio.timeout(100), running(folder) as centre:
            await test(centre)

    asyncio.run(go())


async def seen(plane: Plane, *names: str) -> None:
    """Until the plane knows the nodes and would place callers on them."""

    async def ready() -> bool:
        states = await plane.nodes()
        return all(states.get(name) == "ready" for name in names)

    await until(ready)


async def code(plane: Plane, **more: Any) -> str:
    """What a caller gets: `placed`, or a refusal's code."""
    answer = await plane.place(**more)
    return "placed" if answer.status_code == 201 else str(answer.json()["code"])


def test_the_bus_goes_and_comes_back(tmp_path: Path) -> None:
    async def go(centre: Centre) -> None:
        plane = await centre.plane()
        await centre.node("eu-central", "c-1")
        await seen(plane, "c-1")
        await centre.hub.kill()

        async def refused() -> bool:
            return await code(plane) == "bus_failed"

        await until(refused)
        readiness = await plane.ask("GET", "/readyz")
        assert readiness.status_code == 503
        assert readiness.json()["checks"]["bus"] != "ok"
        assert (await plane.ask("GET", "/v1/policies")).status_code == 200  # keys are known still
        await centre.start_hub()

        async def placed() -> bool:
            return await code(plane) == "placed"

        await until(placed)

        async def ready() -> bool:
            return (await plane.ask("GET", "/readyz")).status_code == 200

        await until(ready)
        assert await plane.stop() == 0

    on_a_centre(tmp_path, go)


def test_nodes_notes_survive_a_cut_and_a_restart_of_the_centre(tmp_path: Path) -> None:
    async def go(centre: Centre) -> None:
        plane = await centre.plane()
        node = await centre.node("eu-central", "c-1")

        async def kept() -> bool:
            return (await plane.ask("GET", "/readyz")).status_code == 200

        await until(kept)
        await node.note("ended", "before", audio_ms=1_000)
        await centre.hub.kill()
        await node.note("ended", "meanwhile", audio_ms=20_000)
        await node.note("ended", "meanwhile", audio_ms=20_000)
        await centre.start_hub()

        async def counted(by: Plane) -> bool:
            lines = (await by.ask("GET", "/v1/usage")).json()
            return sum(line["audio_ms"] for line in lines) == 21_000

        await until(lambda: counted(plane), 40)
        assert await plane.stop() == 0
        again = await centre.plane()
        await until(lambda: counted(again))
        (line,) = (await again.ask("GET", "/v1/usage")).json()
        assert (line["region"], line["model"], line["sessions"]) == ("eu-central", "m", 2)
        assert await again.metric("notes_total") == 2  # each came once

    on_a_centre(tmp_path, go)


def test_the_centre_is_restarted_under_load(tmp_path: Path) -> None:
    """Whoever got a ticket has his seat, whoever did not was told so or cut off, and none waits."""

    async def go(centre: Centre) -> None:
        plane = await centre.plane()
        nodes = [await centre.node("eu-central", name, seats=400) for name in ("c-1", "c-2")]
        await seen(plane, "c-1", "c-2")
        port = int(plane.url.rsplit(":", 1)[1])
        placed: list[str] = []
        other: list[object] = []
        over = asyncio.Event()

        async def caller() -> None:
            while not over.is_set():
                try:
                    answer = await asyncio.wait_for(plane.place(), 10)
                except httpx.TransportError as error:
                    other.append(type(error))
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code == 201:
                    placed.append(answer.json()["session"])
                else:
                    other.append(answer.json()["code"])

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(caller())
            while len(placed) < 20:  # noqa: ASYNC110 eight callers go on meanwhile
                await asyncio.sleep(0.02)
            before = len(placed)
            assert await plane.stop() == 0
            await centre.plane(port=port)
            while len(placed) < before + 20:  # noqa: ASYNC110 likewise
                await asyncio.sleep(0.02)
            over.set()
        held = {session for node in nodes for session in node.held}
        assert len(placed) == len(set(placed))
        assert set(placed) <= held
        codes = {one for one in other if isinstance(one, str)}
        assert codes <= {"no_room", "bus_failed"}, codes

    on_a_centre(tmp_path, go)


def test_two_control_planes_side_by_side(tmp_path: Path) -> None:
    async def go(centre: Centre) -> None:
        one = await centre.plane("p-1")
        two = await centre.plane("p-2")
        assert not (two.folder / "caller.key").exists()
        node = await centre.node("eu-central", "c-1", seats=10)
        await asyncio.gather(seen(one, "c-1"), seen(two, "c-1"))
        answers = await asyncio.gather(*((one, two)[at % 2].place() for at in range(16)))
        said = [answer.json() for answer in answers]
        assert sorted(answer.status_code for answer in answers) == [201] * 10 + [503] * 6
        assert {answer["session"] for answer in said if "session" in answer} == set(node.held)

        for asker, answer in ((two, said[0]), (one, said[1])):
            path = f"/v1/decisions/{answer['decision']}"

            async def known(path: str = path, asker: Plane = asker) -> bool:
                return (await asker.ask("GET", path)).status_code == 200

            await until(known)
        view = await two.why(said[0]["decision"])
        assert (view["control_plane"], view["id"]) == ("p-1", said[0]["decision"])

        one.process.kill()
        await one.process.wait()
        node.held.clear()
        await node.report()

        async def room_again() -> bool:  # once the report has come
            return await code(two) == "placed"

        await until(room_again)
        ask = msgspec.json.encode(
            NodeAsk("recognition", "en", None, "eu-only", "t", None, why="node_full")
        )
        answer = await node.bus.request(subjects.ask("eu-central", "c-1"), ask, 3.0)
        assert msgspec.json.decode(answer, type=PlaceAnswer).placed

    on_a_centre(tmp_path, go)


def test_a_regions_file_is_taken_over_or_refused_while_it_serves(tmp_path: Path) -> None:
    async def go(centre: Centre) -> None:
        good = default_world_path().read_text()
        file = tmp_path / "regions.yaml"
        file.write_text(good)
        plane = await centre.plane(regions_file=str(file))
        node = await centre.node("eu-central", "c-1")
        await seen(plane, "c-1")
        news: asyncio.Queue[bytes] = asyncio.Queue()

        async def heard(_: str, data: bytes) -> None:
            news.put_nowait(data)

        await node.bus.subscribe(subjects.NEWS, heard)

        async def version() -> str:
            token = await node.bus.request(subjects.bundle("eu-central", "c-1"), b"", 3.0)
            return verify_bundle(token, centre.public_key(), wall_s()).policy_version

        before = await version()
        file.write_text(good + "\nmoon: {}\n")

        async def refused() -> bool:
            return await plane.metric("regions_refused_total") == 1

        await until(refused)
        log = plane.log.read_text()
        assert "not taken over" in log
        assert "moon" in log
        assert await plane.metric("regions_fault") == 1
        assert await code(plane) == "placed"
        assert await version() == before

        file.write_text(good + "# another version\n")

        async def taken() -> bool:
            return await version() != before

        await until(taken)
        versions = set()
        async with asyncio.timeout(10):
            while before in versions or not versions:
                versions = {msgspec.json.decode(await news.get())["policy_version"]}
        assert await code(plane) == "placed"
        assert await plane.metric("regions_fault") == 0

    on_a_centre(tmp_path, go)


def test_whoever_waits_is_told_when_the_control_plane_stops(tmp_path: Path) -> None:
    async def go(centre: Centre) -> None:
        file = tmp_path / "regions.yaml"
        text = default_world_path().read_text()
        file.write_text(text.replace("when_full: refuse", "when_full: wait"))
        plane = await centre.plane(regions_file=str(file))
        node: FakeNode = await centre.node("eu-central", "c-1", seats=1)
        await seen(plane, "c-1")
        policies = (await plane.ask("GET", "/v1/policies")).json()
        waits = next(
            one["policy"]
            for one in policies
            if one["when_full"] == "wait" and "eu-central" in one["allowed_regions"]
        )
        assert await code(plane, policy=waits) == "placed"
        async with asyncio.TaskGroup() as group:
            first = group.create_task(plane.place(policy=waits))

            async def waiting() -> bool:
                return await plane.metric("waiting") == 1

            await until(waiting)
            node.held.clear()
            await node.report()
            assert (await first).status_code == 201
            second = group.create_task(plane.place(policy=waits))
            await until(waiting)
            assert await plane.stop(signal.SIGTERM) == 0
            refused = await second
        assert (refused.status_code, refused.json()["code"]) == (503, "no_room")

    on_a_centre(tmp_path, go)


def test_no_bus_at_the_start_is_said_and_ends_it(tmp_path: Path) -> None:
    async def go(centre: Centre) -> None:
        with pytest.raises(AssertionError, match="bus"):
            await centre.plane(bus={"url": "nats://127.0.0.1:1"})

    on_a_centre(tmp_path, go)
