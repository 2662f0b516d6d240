"""Policies that change while nodes are cut off, under load, and by clocks that differ.

One world for all: a hub, two regions behind links that can be cut, a control plane, real nodes.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from glob import glob
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from control_plane.streams import CENTRE_NOTES
from shared.bus.nats_bus import NatsBus
from shared.exchange import SessionNote
from shared.nats_permissions import inbox
from tests.support.fleet import FINISH, heard, opened
from tests.support.proxy import Proxy, proxy_to
from tests.support.real_nodes import RealNode, real_node
from tests.support.running_centre import Centre, Plane, until
from tests.support.talk import spoken, words

pytestmark = [pytest.mark.process, pytest.mark.anyio]

PARIS = {"lat": 48.85, "lon": 2.35}
FAKETIME = next(iter(glob("/usr/lib/*/faketime/libfaketime.so.1")), None)  # noqa: PTH207 not ours
ALLOWING = """
regions:
  eu-central: {place: {lat: 50.11, lon: 8.68}, time_zone: UTC, jurisdiction: de, tiers: {hot: 3}}
  eu-west: {place: {lat: 53.35, lon: -6.26}, time_zone: UTC, jurisdiction: ie, tiers: {hot: 1}}
zones: {eu: [de, ie], german: [de]}
policies:
  default: {allow: [eu], overflow: {zones: [eu]}, when_forbidden: finish}
  strict: {allow: [eu], overflow: {zones: [eu]}, when_forbidden: end}
"""
FORBIDDING = ALLOWING + "rules: {gone: {when: {policies: [strict, default]}, forbid: [german]}}\n"
LENIENT = ALLOWING + "rules: {gone: {when: {policies: [strict]}, forbid: [german]}}\n"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class World:
    """What runs, and its file of policies."""

    centre: Centre
    plane: Plane
    links: dict[str, Proxy]
    file: Path
    stack: AsyncExitStack

    async def node(self, region: str, name: str, **settings: Any) -> RealNode:
        starting = real_node(self.centre, region, name, seats=32, **settings)
        return await self.stack.enter_async_context(starting)

    async def policies(self, text: str) -> str:
        """The version of the bundle once the control plane has them."""
        before = (await self.bundle())["policy_version"]
        same = self.file.read_text() == text
        self.file.write_text(text)

        async def taken() -> bool:
            return same or bool((await self.bundle())["policy_version"] != before)

        await until(taken)
        return str((await self.bundle())["version"])

    async def bundle(self) -> dict[str, Any]:
        return dict((await self.plane.ask("GET", "/v1/bundle")).json())

    async def agreed(self, *nodes: str, limit_s: float = 60.0) -> None:
        """Until the nodes say that they admit by the bundle of now."""

        async def all_have() -> bool:
            now = await self.bundle()
            version, stand = now["version"], now["in_service"]
            listed = (await self.plane.ask("GET", "/v1/nodes")).json()
            have = {one["node"]: one["bundle_version"] for one in listed}
            here = {one["region"] for one in listed if one["node"] in nodes}
            return here <= set(stand) and all(have.get(node) == version for node in nodes)

        await until(all_have, limit_s)

    async def sessions(self) -> dict[str, dict[str, Any]]:
        answer = await self.plane.ask(
            "GET", "/v1/sessions?limit=1000", key=self.plane.key("operator")
        )
        return {one["session"]: one for one in answer.json()}

    def call(self, node: RealNode, ticket: str | None = None) -> connect:
        shown = f"Ticket {ticket}" if ticket else f"Bearer {self.plane.key()}"
        return connect(
            node.url.replace("http", "ws") + "/v1/stream",
            additional_headers={"Authorization": shown},
            subprotocols=[Subprotocol("heliovox.v1")],
            compression=None,
            proxy=None,
        )

    async def begun(self, node: RealNode, **start: Any) -> tuple[ClientConnection, dict[str, Any]]:
        """A session with something said in it, and what its node answered."""
        call = await self.stack.enter_async_context(self.call(node))
        started = await opened(call, place=PARIS, **start)
        await call.send(spoken("hello there"))
        return call, started


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    file = folder / "regions.yaml"
    file.write_text(ALLOWING)
    async with AsyncExitStack() as stack:
        links: list[Proxy] = []

        async def reach(port: int) -> int:
            links.append(await stack.enter_async_context(proxy_to(port)))
            return links[-1].port

        centre = Centre(folder)
        stack.push_async_callback(centre.stop)
        await centre.start_far(reach)
        plane = await centre.plane(regions_file=str(file), service_grace_s=600)
        named = dict(zip(centre.links, links, strict=True))
        yield World(centre, plane, named, file, stack)


@pytest.fixture(autouse=True)
async def _own_nodes(world: World) -> AsyncIterator[None]:
    """Of each test; what they have kept is there for the next."""
    async with AsyncExitStack() as stack:
        world.stack = stack
        yield


async def metric(node: RealNode, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{node.url}/metrics")).text
    [line] = [line for line in text.splitlines() if line.startswith(f"heliovox_edge_{name} ")]
    return float(line.split()[1])


async def test_both_sides_of_a_cut_agree_once_it_is_healed(world: World) -> None:
    """Each serves by what it knows; then who decided what, by which rules, is known to all."""
    central, west = await asyncio.gather(
        world.node("eu-central", "c-1"), world.node("eu-west", "w-1")
    )
    await world.agreed("c-1", "w-1")
    before = (await world.bundle())["version"]
    strict, first = await world.begun(central, policy="strict")
    lenient, second = await world.begun(central, policy="default")

    world.links["eu-central"].cut()
    after = await world.policies(FORBIDDING)
    await world.agreed("w-1")
    dark, third = await world.begun(central, policy="strict")  # it cannot know
    answer = await world.plane.place(policy="strict", place=PARIS)
    placed = answer.json()
    assert (answer.status_code, placed["region"]) == (201, "eu-west")
    async with world.call(west, placed["ticket"]) as elsewhere:
        fourth = await opened(elsewhere)
        assert fourth["type"] == "started"
        assert (await metric(central, "bundle_left_seconds")) > 86_000
        world.links["eu-central"].heal()
        await world.agreed("c-1", "w-1")
        for call in (strict, dark):
            told = await heard(call)
            assert words(told) == ["hello there"]
            assert told[-1]["code"] == "no_longer_allowed"
            assert "gone.forbid" in told[-1]["message"]
            assert after in told[-1]["message"]
        assert await _tried(world, central) == "not_allowed"
    await lenient.send(spoken(" again   "))
    await lenient.send(FINISH)
    assert words(await heard(lenient)) == ["hello there again"]

    async def all_over() -> bool:
        found = await world.sessions()
        return all(
            found.get(one["session"], {}).get("state") == "ended"
            for one in (first, second, third, fourth)
        )

    await until(all_over, 60.0)
    found = await world.sessions()
    for one, does, reason in (
        (first, "end", "no_longer_allowed"),
        (second, "finish", "finish"),
        (third, "end", "no_longer_allowed"),
    ):
        noted = found[one["session"]]
        assert (noted["bundle_version"], noted["admitted_by"]) == (before, "node")
        assert (noted["ruled"]["does"], noted["reason"]) == (does, reason)
        assert (noted["ruled"]["bundle_version"], noted["ruled"]["clause"]) == (
            after, "gone.forbid",
        )  # fmt: skip
        assert noted["ruled"]["policy_version"] == placed["policy_version"]
        assert noted["policy_version"] != placed["policy_version"]
    noted = found[fourth["session"]]
    assert (noted["bundle_version"], noted["policy_version"], noted["ruled"]) == (
        after, placed["policy_version"], None,
    )  # fmt: skip


async def test_under_load_nobody_comes_in_where_the_rules_of_the_moment_forbid_it(
    world: World,
) -> None:
    """By key and by ticket, all the time; every session has one version, and a lawful one."""
    names = (("eu-central", "c-1"), ("eu-central", "c-2"), ("eu-west", "w-1"))
    started = await asyncio.gather(*(world.node(*name) for name in names))
    nodes = {node.name: node for node in started}
    version = await world.policies(ALLOWING)
    await world.agreed(*nodes)
    lawful = {version: True}
    stop, answers = asyncio.Event(), Counter[str]()

    async def by_key(name: str) -> None:
        while not stop.is_set():
            answers[await _tried(world, nodes[name])] += 1

    async def by_ticket() -> None:
        while not stop.is_set():
            answer = await world.plane.place(policy="strict", place=PARIS)
            if answer.status_code != 201:
                answers[str(answer.json()["code"])] += 1
                continue
            placed = answer.json()
            answers[await _tried(world, nodes[placed["node"]], placed["ticket"])] += 1

    async with asyncio.TaskGroup() as group:
        for name in ("c-1", "c-2"):
            group.create_task(by_key(name))
        for _ in range(2):
            group.create_task(by_ticket())
        for text in (LENIENT, ALLOWING, FORBIDDING):
            version = await world.policies(text)
            lawful[version] = text == ALLOWING
            await world.agreed(*nodes)
        stop.set()
    assert answers["started"] > 20
    assert answers["not_allowed"] > 0
    assert answers.keys() <= {"started", "not_allowed", "no_room", "no_longer_allowed"}, answers
    await _judge(world, lawful)


async def _tried(world: World, node: RealNode, ticket: str | None = None) -> str:
    """A session of no length, or why there is none."""
    try:
        async with world.call(node, ticket) as call:
            said = await opened(call, **({} if ticket else {"policy": "strict", "place": PARIS}))
            if said["type"] == "started":
                await call.send(FINISH)
                await heard(call)
            return str(said.get("code", said["type"]))
    except ConnectionClosed:
        return "no_longer_allowed"
    except InvalidStatus as error:
        return str(json.loads(error.response.body or b"{}").get("code"))


async def _judge(world: World, lawful: dict[str, bool]) -> None:
    """Every note that the centre has gathered of a beginning."""
    notes = [note for note in await _notes(world) if note.bundle_version in lawful]
    for _, of_node in groupby(sorted(notes, key=_of_node), key=_of_node):
        versions = [version for version, _ in groupby(note.bundle_version for note in of_node)]
        assert len(versions) == len(set(versions)), "a version came back"
    for note in notes:
        if note.policy == "strict" and note.region == "eu-central":
            assert lawful[note.bundle_version], note
    of_session: dict[str, set[tuple[str, str]]] = {}
    for note in notes:
        of_session.setdefault(note.session, set()).add((note.bundle_version, note.policy_version))
    assert len(of_session) > 20
    assert {len(versions) for versions in of_session.values()} == {1}


def _of_node(note: SessionNote) -> tuple[str, int]:
    return note.node, int(note.id.rsplit("-", 1)[1])


async def _notes(world: World) -> list[SessionNote]:
    """As another control plane would read them."""
    plane = "p-2"
    bus = await NatsBus.connect(
        world.centre.hub.url,
        world.centre.seed_file(plane),
        name=plane,
        inbox_prefix=inbox(plane),
    )
    try:
        return [
            msgspec.json.decode(one.data, type=SessionNote)
            async for one in bus.read_now(CENTRE_NOTES)
        ]
    finally:
        await bus.close()


# --- clocks ---


def by_clock(shift_s: int) -> dict[str, str]:
    """What makes a process believe in another time of day; its steady clock stays as it is."""
    assert FAKETIME is not None
    return {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME": f"{shift_s:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }


async def _checks(node: RealNode) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        return dict((await http.get(f"{node.url}/readyz")).json()["checks"])


@pytest.mark.skipif(FAKETIME is None, reason="no libfaketime: apt-get install faketime")
async def test_clocks_half_a_minute_apart_change_nothing_and_two_minutes_are_told(
    world: World,
) -> None:
    """Whoever is too far off refuses what he cannot judge, says why, and nothing is unlawful."""
    async with AsyncExitStack() as before:
        world.stack = before
        await world.node("eu-west", "w-1")  # it knows rules from when its clock was right
        await world.policies(ALLOWING)
        await world.agreed("w-1")
    async with AsyncExitStack() as stack:
        world.stack = stack
        clocks = {"c-1": 30, "c-2": -30, "c-3": 120}
        *started, behind = await asyncio.gather(
            *(
                world.node("eu-central", name, environment=by_clock(shift_s))
                for name, shift_s in clocks.items()
            ),
            world.node("eu-west", "w-1", environment=by_clock(-120)),
        )
        nodes = {node.name: node for node in started}
        await world.agreed(*nodes)
        for name, node in nodes.items():
            assert await _tried(world, node) == "started", name
        outcomes = {name: await _by_ticket_of(world, name, nodes) for name in nodes}
        assert outcomes == {"c-1": "started", "c-2": "started", "c-3": "ticket_refused"}
        told = {name: (await _checks(node)).get("clock", "ok") for name, node in nodes.items()}
        assert (told["c-1"], told["c-2"]) == ("ok", "ok")
        assert "ahead of" in told["c-3"]
        assert await _tried(world, behind) == "rules_expired"
        checks = await _checks(behind)
        assert "behind" in checks["clock"]
        assert "from the future" in checks["bundle"]
        assert "from the future" in behind.log.read_text()
        await world.policies(FORBIDDING)
        await world.agreed(*nodes)
        for name, node in nodes.items():
            assert await _tried(world, node) == "not_allowed", name
        assert await _tried(world, behind) == "rules_expired"


async def _by_ticket_of(world: World, name: str, nodes: dict[str, RealNode]) -> str:
    """What a ticket for a node is worth there: meanwhile nobody else takes anybody."""
    operator = world.plane.key("operator")
    others = [other for other in nodes if other != name]
    for other in others:
        await world.plane.ask("POST", f"/v1/nodes/{other}/drain", key=operator)
    found: list[dict[str, Any]] = []

    async def placed() -> bool:
        answer = await world.plane.place(policy="strict", place=PARIS)
        found.append(answer.json())
        return answer.status_code == 201 and found[-1]["node"] == name

    await until(placed)
    outcome = await _tried(world, nodes[name], found[-1]["ticket"])
    for other in others:
        await world.plane.ask("POST", f"/v1/nodes/{other}/undrain", key=operator)
    return outcome
