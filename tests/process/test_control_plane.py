"""A control plane on real servers with all permissions in force; its nodes are scripted."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared import subjects
from shared.bundle import verify_bundle
from shared.clock import wall_s
from shared.exchange import NodeAsk, PlaceAnswer
from shared.ticket import verify_ticket
from tests.support.fake_node import FakeNode
from tests.support.running_centre import ROOT, Centre, Plane, until

pytestmark = pytest.mark.process

Test = Callable[[Centre, Plane], Awaitable[None]]


class Stage:
    """One loop and one centre for all tests of the module."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.centre = self.runner.run(Centre(folder).start())
        self.plane = self.runner.run(self.centre.plane(ticket_ttl_s=5.0))

    def __call__(self, test: Test) -> None:
        self.runner.run(asyncio.wait_for(test(self.centre, self.plane), 60))

    def end(self) -> None:
        try:
            assert self.runner.run(self.plane.stop()) == 0
            assert self.plane.complaints() == []
        finally:
            self.runner.run(self.centre.stop())
            self.runner.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    running = Stage(tmp_path_factory.mktemp("centre"))
    yield running
    running.end()


@asynccontextmanager
async def nodes(
    centre: Centre, plane: Plane, *names: str, **options: Any
) -> AsyncIterator[list[FakeNode]]:
    """Nodes that the control plane has seen, and that leave at the end."""
    begun = [
        await centre.node("eu-central" if name.startswith("c") else "eu-west", name, **options)
        for name in names
    ]

    async def seen() -> bool:
        return set(names) <= (await plane.nodes()).keys()

    async def unseen() -> bool:
        return not set(names) & (await plane.nodes()).keys()

    await until(seen)
    try:
        yield begun
    finally:
        for node in begun:
            await node.leave()
        await until(unseen)


def test_a_caller_is_placed_and_the_ticket_is_good_for_the_node(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1", "w-1") as (near, far):
            placed = (await plane.place()).json()
            assert (placed["node"], placed["reasons"]) == ("c-1", ["nearest_allowed"])
            ticket = verify_ticket(
                placed["ticket"], centre.public_key(), node="c-1", boot=near.boot, now_s=wall_s()
            )
            assert ticket.session == placed["session"] == near.asked[0].session
            assert far.asked == []
            why = await plane.why(placed["decision"])
            assert why["attempts"] == ["c-1: granted"]

            async def ready() -> bool:
                return (await plane.ask("GET", "/readyz")).status_code == 200

            await until(ready)

    stage(go)


def test_full_everywhere_is_a_refusal_and_never_a_place_outside(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1", "w-1", seats=1) as both:
            answers = [await plane.place() for _ in range(3)]
            assert [answer.status_code for answer in answers] == [201, 201, 503]
            assert [a.json().get("node") for a in answers] == ["c-1", "w-1", None]
            assert answers[1].json()["overflow"]
            refused = answers[2].json()
            assert (refused["code"], refused["retryable"]) == ("no_room", True)
            why = await plane.why(refused["decision"])
            assert {row["node"]: row["reason"] for row in why["losers"]} == {
                "c-1": "full",
                "w-1": "full",
            }
            assert [len(node.held) for node in both] == [1, 1]

            async def settled() -> bool:
                return (await plane.place(policy="ksa-only")).status_code == 403

            await until(settled)
            abroad = (await plane.place(policy="ksa-only")).json()
            assert (abroad["code"], "retryable" in abroad) == ("not_allowed", False)

    stage(go)


def test_a_silent_node_costs_a_caller_half_a_second_and_no_seat(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1", "w-1") as (near, _):
            near.deaf = True
            placed = (await plane.place()).json()
            assert placed["node"] == "w-1"
            why = await plane.why(placed["decision"])
            assert why["attempts"] == ["c-1: silent", "w-1: granted"]

            async def released() -> bool:
                """It may hold a seat for whoever will not come."""
                return [told.do for told in near.commands] == ["release"]

            await until(released)

    stage(go)


def test_a_node_that_dies_between_reservation_and_arrival(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1", "w-1") as (near, _):
            placed = (await plane.place()).json()
            assert placed["node"] == "c-1"
            await near.end()
            again = (await plane.place()).json()
            assert again["node"] == "w-1"

            async def dead() -> bool:
                return (await plane.nodes())["c-1"] == "dead"

            await until(dead)
            path = f"/v1/sessions/{placed['session']}"

            async def over() -> bool:
                return bool((await plane.ask("GET", path)).json()["state"] == "ended")

            await until(over)
            assert (await plane.ask("GET", path)).json()["reason"] == "never_came"

    stage(go)


def test_a_node_speaks_for_itself_alone(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1") as (node,):
            before = await plane.metric("reports_total", "not_its_name")
            lie = msgspec.json.encode(node.now(node="c-3", url="ws://evil"))
            await node.bus.publish(subjects.report("eu-central", "c-1"), lie)

            async def noticed() -> bool:
                return await plane.metric("reports_total", "not_its_name") > before

            await until(noticed)
            denied = node.bus.refused
            await node.bus.publish(subjects.report("eu-central", "c-3"), lie)
            await node.bus.publish(subjects.report("eu-west", "w-1"), lie)

            async def refused() -> bool:
                return node.bus.refused >= denied + 2

            await until(refused)
            assert set(await plane.nodes()) == {"c-1"}

    stage(go)


def test_two_boots_under_one_name_get_nobody_until_one_is_gone(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1") as (first,):
            second = FakeNode(first.bus, "eu-central", "c-1", boot="b999999")
            await second.report()
            await first.report()

            async def conflict() -> bool:
                await second.report()
                return (await plane.nodes())["c-1"] == "conflict"

            await until(conflict)
            answer = await plane.place()
            assert (answer.status_code, answer.json()["code"]) == (503, "no_room")
            assert first.life is not None
            first.life.cancel()

            async def alone() -> bool:
                await second.report()
                return (await plane.nodes())["c-1"] == "ready"

            await until(alone)
            first.boot, first.seq = second.boot, second.seq

    stage(go)


@pytest.mark.parametrize("off_s", [-30.0, 30.0, 365 * 86_400.0])
def test_a_clock_that_is_off_is_shown_and_decides_nothing(stage: Stage, off_s: float) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        at_ms = round((wall_s() + off_s) * 1000)
        async with nodes(centre, plane, "c-1", at_ms=at_ms):
            assert (await plane.place()).status_code == 201
            (node,) = (await plane.ask("GET", "/v1/nodes")).json()
            assert node["state"] == "ready"
            assert node["clock_skew_s"] == pytest.approx(off_s, abs=20)

    stage(go)


WHOLE = {
    "node": "c-1",
    "region": "eu-central",
    "boot": "b",
    "seq": 1,
    "at_ms": 0,
    "url": "ws://x",
    "version": "",
    "kinds": {},
    "limit": 1,
}


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"{]",
        b"null",
        b'{"node": "c-1"}',
        json.dumps(WHOLE | {"seq": -1}).encode(),
        json.dumps(WHOLE | {"url": "http://x"}).encode(),
        json.dumps(WHOLE | {"limit": 1e9}).encode(),
    ],
)
def test_a_report_that_makes_no_sense_is_counted_and_forgotten(stage: Stage, report: bytes) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        bus = await centre.bus("eu-central", "c-1")
        before = await plane.metric("reports_total", "malformed")
        await bus.publish(subjects.report("eu-central", "c-1"), report)

        async def counted() -> bool:
            return await plane.metric("reports_total", "malformed") == before + 1

        await until(counted)
        assert "c-1" not in await plane.nodes()

    stage(go)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"place": {"lat": 95, "lon": 0}}, 400, "invalid_message"),
        ({"place": {"lat": 0, "lon": 1e300}}, 400, "invalid_message"),
        ({"country": "ZZ", "place": None}, 422, "unsupported"),
        ({"language": "tlh"}, 403, "not_allowed"),
        ({"model": "none-such"}, 403, "not_allowed"),
        ({"policy": "moon-only"}, 422, "unsupported"),
        ({"kind": "telepathy"}, 422, "unsupported"),
        ({"address": "1.2.3.4.5", "place": None}, 400, "invalid_message"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    stage: Stage, body: dict[str, Any], status: int, code: str
) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1"):
            answer = await plane.place(**body)
            said = answer.json()
            assert (answer.status_code, said["code"]) == (status, code), said
            assert said["remedy"]

    stage(go)


async def asked(node: FakeNode, **more: Any) -> PlaceAnswer:
    """What the centre answers to a node that cannot keep a caller."""
    said: dict[str, Any] = {
        "kind": "recognition",
        "language": "en",
        "model": None,
        "policy": "eu-only",
        "tenant": "t",
        "place": None,
    }
    data = msgspec.json.encode(NodeAsk(**(said | more)))
    answer = await node.bus.request(subjects.ask(node.region, node.name), data, 3.0)
    return msgspec.json.decode(answer, type=PlaceAnswer)


def test_nodes_ask_and_get_a_ticket_or_a_reason(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1", "w-1") as (near, west):
            answer = await asked(west, place={"lat": 52.5, "lon": 13.4}, why="not_home")
            assert (answer.placed, answer.node) == (True, "c-1")
            verify_ticket(
                answer.ticket, centre.public_key(), node="c-1", boot=near.boot, now_s=wall_s()
            )
            assert (await asked(west, policy="in-only")).code == "not_allowed"
            assert (await asked(west, place={"lat": 99, "lon": 0})).code == "invalid_message"
            garbage = await west.bus.request(subjects.ask("eu-west", "w-1"), b"{]", 3.0)
            assert msgspec.json.decode(garbage, type=PlaceAnswer).code == "invalid_message"

    stage(go)


def test_the_bundle_reaches_nodes_and_follows_keys(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1") as (node,):
            news: asyncio.Queue[bytes] = asyncio.Queue()

            async def heard(_: str, data: bytes) -> None:
                news.put_nowait(data)

            subscription = await node.bus.subscribe(subjects.NEWS, heard)

            async def tenants() -> set[str]:
                token = await node.bus.request(subjects.bundle("eu-central", "c-1"), b"", 3.0)
                bundle = verify_bundle(token, centre.public_key(), wall_s())
                return {grant.tenant for grant in bundle.keys}

            assert "carol" not in await tenants()
            key = await command(plane, "keys", "add", "carol", "--policy", "eu-only")
            await asyncio.wait_for(news.get(), 10)
            assert "carol" in await tenants()
            assert (await plane.ask("GET", "/v1/policies", key=key)).status_code == 200
            forbidden = await plane.ask(
                "POST", "/v1/sessions", {"country": "FR", "policy": "anywhere"}, key=key
            )
            assert (forbidden.status_code, forbidden.json()["code"]) == (403, "forbidden")
            assert "carol" in await command(plane, "keys", "list")
            await command(plane, "keys", "revoke", "carol")

            async def unknown() -> bool:
                return (await plane.ask("GET", "/v1/policies", key=key)).status_code == 401

            await until(unknown)
            assert "carol" not in await tenants()
            await subscription.end()

    stage(go)


async def command(plane: Plane, *arguments: str) -> str:
    """What `heliovox-control` says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "control_plane", *arguments),
        *("--config", str(plane.folder / "control.yaml")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


def test_notes_become_sessions_and_usage_once_each(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1") as (node,):

            async def kept() -> bool:
                return "notes are kept in eu-central" in plane.log.read_text()

            await until(kept)
            placed = (await plane.place()).json()
            session = placed["session"]
            await node.note("started", session, decision=placed["decision"])
            for _ in range(2):
                await node.note("usage", session, audio_ms=1500, id=f"{session}-u")
            path = f"/v1/sessions/{session}"

            async def live() -> bool:
                said = (await plane.ask("GET", path)).json()
                return bool(said["state"] == "live" and said["audio_ms"] == 1500)

            await until(live)
            assert (await plane.ask("DELETE", path)).status_code == 204
            assert node.commands[-1].do == "end_session"
            await node.note("ended", session, audio_ms=2000, reason="closed")

            async def counted() -> bool:
                lines = (await plane.ask("GET", "/v1/usage")).json()
                return sum(line["audio_ms"] for line in lines) == 2000

            await until(counted)
            assert (await plane.ask("GET", path)).json()["reason"] == "closed"

    stage(go)


def test_a_drained_node_gets_nobody(stage: Stage) -> None:
    async def go(centre: Centre, plane: Plane) -> None:
        async with nodes(centre, plane, "c-1", "w-1"):
            operator = plane.key("operator")
            assert (await plane.ask("POST", "/v1/nodes/c-1/drain")).status_code == 403
            done = await plane.ask("POST", "/v1/nodes/c-1/drain", key=operator)
            assert done.status_code == 200

            async def state(wanted: str) -> bool:
                return (await plane.nodes())["c-1"] == wanted

            await until(lambda: state("draining"))
            assert (await plane.place()).json()["node"] == "w-1"
            await plane.ask("POST", "/v1/nodes/c-1/undrain", key=operator)
            await until(lambda: state("ready"))
            assert (await plane.place()).json()["node"] == "c-1"

    stage(go)


def test_it_ends_on_ctrl_c_too(tmp_path: Path) -> None:
    async def go() -> None:
        centre = await Centre(tmp_path).start()
        try:
            plane = await centre.plane()
            assert await plane.stop(signal.SIGINT) == 0
            assert plane.complaints() == []
        finally:
            await centre.stop()

    asyncio.run(go())
