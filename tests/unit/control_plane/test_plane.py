"""A whole control plane, its nodes scripted, on a bus in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from control_plane.api.app import make_front
from control_plane.app import ControlPlane
from control_plane.placement.record import Batch, Decided, read_batch
from control_plane.placement.replay import replay
from control_plane.settings import ControlSettings
from control_plane.signing import fingerprint
from control_plane.tenants.changes import KEYS, revoke
from shared import subjects
from shared.bundle import verify_bundle
from shared.bus.memory import MemoryBus
from shared.clock import wall_s
from shared.exchange import Bundle, NodeAsk, PlaceAnswer, Reserve, Reserved
from shared.service import run_all
from shared.ticket import verify_ticket
from tests.support.fake_node import FakeNode

PARIS = {"place": {"lat": 48.85, "lon": 2.35}}


class Http:
    """Stands where the port would be."""

    async def run(self, ready: asyncio.Event) -> None:
        ready.set()
        await asyncio.Event().wait()


class Running:
    """A control plane that runs, and ways to ask it."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane, self.folder = plane, folder
        self.app = make_front(plane.centre())

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: str = "caller",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        secret = (self.folder / f"{key}.key").read_text().strip()
        headers = {"Authorization": f"Bearer {secret}"} | dict(headers or {})
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://c") as client:
            return await client.request(method, path, json=body, headers=headers)

    async def until(self, holds: Callable[[], Any]) -> None:
        """Waits for what the loop has yet to bring."""

        async def true() -> bool:
            return bool(holds())

        await self.until_it(true)

    async def until_it(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Likewise, for what must be awaited."""
        async with asyncio.timeout(10):
            while not await holds():  # noqa: ASYNC110 the parts have no event for it
                await asyncio.sleep(0.01)

    async def node(self, region: str, name: str, **options: Any) -> FakeNode:
        node = await FakeNode(self.plane.bus, region, name, **options).begin()
        await self.until(lambda: name in self.plane.fleet.view(self.plane.clock.now_s()).nodes)
        return node


@asynccontextmanager
async def running(
    folder: Path, bus: MemoryBus | None = None, **settings: Any
) -> AsyncIterator[Running]:
    given = {"plane_id": "p-1", "state_dir": folder} | settings
    plane = ControlPlane(ControlSettings(**given), bus or MemoryBus(), lambda _name, _file: None)
    stop, started = asyncio.Event(), asyncio.Event()

    class Last:
        async def run(self, ready: asyncio.Event) -> None:
            started.set()
            ready.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(run_all([*plane.services(lambda _: Http()), Last()], stop))
        await started.wait()
        yield Running(plane, folder)
        stop.set()


def with_plane(
    tmp_path: Path, test: Callable[[Running], Coroutine[Any, Any, None]], **settings: Any
) -> None:
    async def go() -> None:
        async with running(tmp_path, **settings) as plane:
            await test(plane)

    asyncio.run(go())


def test_a_caller_is_placed_on_the_nearest_node_that_may(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        await plane.node("eu-west", "w-1")
        node = await plane.node("eu-central", "c-1")
        answer = await plane("POST", "/v1/sessions", PARIS | {"policy": "eu-only"})
        said = answer.json()
        assert answer.status_code == 201, said
        assert (said["node"], said["region"], said["overflow"]) == ("c-1", "eu-central", False)
        (wanted,) = node.asked
        ticket = verify_ticket(
            said["ticket"],
            plane.plane.key.public_key(),
            node="c-1",
            boot=node.boot,
            now_s=wall_s(),
        )
        assert (ticket.session, ticket.reservation) == (said["session"], wanted.reservation)
        assert (ticket.decision, ticket.relay) == (said["decision"], False)
        path = f"/v1/decisions/{said['decision']}"
        why = (await plane("GET", path, key="operator")).json()
        assert (why["node"], why["attempts"]) == ("c-1", ["c-1: granted"])
        seen = (await plane("GET", f"/v1/sessions/{said['session']}")).json()
        assert (seen["state"], seen["tenant"]) == ("reserved", "caller")

    with_plane(tmp_path, go)


def test_a_full_node_is_passed_over_for_the_next(tmp_path: Path) -> None:
    """The report says that there is room, the node knows better."""

    async def go(plane: Running) -> None:
        def full(_: Reserve) -> Reserved:
            return Reserved(False, "c-1", "b1", code="node_full")

        await plane.node("eu-central", "c-1", answer=full)
        await plane.node("eu-west", "w-1")
        answer = await plane("POST", "/v1/sessions", PARIS | {"policy": "eu-only"})
        said = answer.json()
        assert (said.get("node"), said.get("overflow")) == ("w-1", True), said

    with_plane(tmp_path, go)


def test_nobody_is_placed_where_the_policy_does_not_allow_it(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        await plane.node("eu-central", "c-1", seats=1)
        await plane.node("ap-south", "s-1", seats=5)
        answers = [
            await plane("POST", "/v1/sessions", PARIS | {"policy": "eu-only"}) for _ in range(3)
        ]
        assert [answer.status_code for answer in answers] == [201, 503, 503]
        refused = answers[-1].json()
        assert refused["code"] == "no_room"
        path = f"/v1/decisions/{refused['decision']}"
        why = (await plane("GET", path, key="operator")).json()
        assert why["outcome"] == "refused"
        assert {row["node"]: row["reason"] for row in why["losers"]} == {
            "c-1": "full",
            "s-1": "not_allowed",
        }

    with_plane(tmp_path, go)


def test_a_node_asks_for_a_caller_who_came_straight_to_it(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        near = await plane.node("eu-central", "c-1")
        west = await plane.node("eu-west", "w-1", seats=0)

        async def ask(**more: Any) -> PlaceAnswer:
            asked = {
                "kind": "recognition",
                "language": "en",
                "model": None,
                "policy": "eu-only",
                "tenant": "t",
                "place": None,
            }
            data = msgspec.json.encode(NodeAsk(**(asked | more)))
            subject = subjects.ask(west.region, west.name)
            answer = await plane.plane.bus.request(subject, data, 2.0)
            return msgspec.json.decode(answer, type=PlaceAnswer)

        placed = await ask(relay=True)
        assert (placed.placed, placed.node) == (True, "c-1")
        ticket = verify_ticket(
            placed.ticket, plane.plane.key.public_key(), node="c-1", boot=near.boot, now_s=wall_s()
        )
        assert (ticket.relay, ticket.tenant) == (True, "t")
        refused = await ask(policy="ksa-only")
        assert (refused.placed, refused.code) == (False, "no_room")  # the fleet is settling
        assert refused.decision
        assert (await ask(policy="moon")).code == "unsupported"
        assert (await ask(policy="in-only", relay=True)).code == "forbidden"
        back = await ask(give_back=placed.session)
        assert not back.placed
        seen = (await plane("GET", f"/v1/sessions/{placed.session}", key="operator")).json()
        assert (seen["state"], seen["reason"]) == ("ended", "given_back")

    with_plane(tmp_path, go)


def test_the_bundle_is_signed_and_changes_with_keys(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        bus = plane.plane.bus
        news: asyncio.Queue[bytes] = asyncio.Queue()

        async def heard(_: str, data: bytes) -> None:
            news.put_nowait(data)

        await bus.subscribe(subjects.NEWS, heard)
        node = await plane.node("eu-central", "c-1")

        async def bundle() -> Bundle:
            token = await bus.request(subjects.bundle(node.region, node.name), b"", 2.0)
            return verify_bundle(token, plane.plane.key.public_key(), wall_s())

        await plane.until(lambda: "eu-central" in plane.plane.feed.in_service.regions)
        first = await bundle()
        assert first.in_service == ("eu-central",)
        assert {grant.tenant for grant in first.keys} == {"caller", "operator"}
        assert first.policy_version == plane.plane.regions.now.world.version
        async with asyncio.timeout(5):
            await news.get()
        await revoke(bus.kv(KEYS.name), "caller", "now")
        await plane.until(lambda: len(plane.plane.tenants.keyring) == 1)
        second = await bundle()
        assert {grant.tenant for grant in second.keys} == {"operator"}
        assert second.version != first.version
        while not news.empty():
            news.get_nowait()

    with_plane(tmp_path, go)


def test_operators_drain_and_callers_end_sessions(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1")
        placed = (await plane("POST", "/v1/sessions", PARIS)).json()
        assert (await plane("DELETE", f"/v1/sessions/{placed['session']}")).status_code == 204
        assert node.held == {}
        drained = await plane("POST", "/v1/nodes/c-1/drain", key="operator")
        assert (drained.status_code, drained.json()["live"]) == (200, 0)
        refused = await plane("POST", "/v1/sessions", PARIS)
        assert (refused.status_code, refused.json()["code"]) == (503, "no_room")
        assert [told.do for told in node.commands] == ["release", "drain"]

    with_plane(tmp_path, go)


def test_a_caller_whose_policy_waits_gets_the_seat_that_becomes_free(tmp_path: Path) -> None:
    world = tmp_path / "regions.yaml"
    text = Path("shared/regions/regions.yaml").read_text()
    world.write_text(text.replace("when_full: refuse", "when_full: wait"))

    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1", seats=1)
        waits = next(
            name
            for name, policy in plane.plane.regions.now.policies.by_name.items()
            if policy.when_full == "wait" and "eu-central" in policy.allowed
        )
        body = PARIS | {"policy": waits}
        first = (await plane("POST", "/v1/sessions", body)).json()
        async with asyncio.TaskGroup() as group:
            second = group.create_task(plane("POST", "/v1/sessions", body))
            await plane.until(lambda: len(plane.plane.waiting) == 1)
            node.held.pop(first["session"])
            await node.report()
            assert (await second).status_code == 201

    with_plane(tmp_path, go, regions_file=world)


def test_a_bus_that_is_gone_is_said_at_once(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        bus = plane.plane.bus
        assert isinstance(bus, MemoryBus)
        await plane.node("eu-central", "c-1")
        bus.cut()
        answer = await plane("POST", "/v1/sessions", PARIS)
        assert (answer.status_code, answer.json()["code"]) == (503, "bus_failed")
        ready = await plane("GET", "/readyz")
        assert (ready.status_code, ready.json()["checks"]["bus"] != "ok") == (503, True)
        bus.mend()
        assert (await plane("POST", "/v1/sessions", PARIS)).status_code == 201

    with_plane(tmp_path, go)


def test_reports_under_another_name_are_not_believed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1")
        lie = node.now(node="c-2")
        await plane.plane.bus.publish(
            subjects.report("eu-central", "c-1"), msgspec.json.encode(lie)
        )
        await plane.plane.bus.publish(subjects.report("eu-central", "c-1"), b"{]")
        heard = plane.plane.feed.heard
        await plane.until(lambda: heard["not_its_name"] and heard["malformed"])
        assert plane.plane.fleet.view(plane.plane.clock.now_s()).nodes == ("c-1",)

    with_plane(tmp_path, go)
    assert "not_its_name" in caplog.text


def test_two_planes_see_each_others_decisions_and_sessions(tmp_path: Path) -> None:
    async def go() -> None:
        bus = MemoryBus()
        key = tmp_path / "shared.pem"
        async with (
            running(tmp_path / "1", bus, signing_key_file=key) as one,
            running(tmp_path / "2", bus.beside(), plane_id="p-2", signing_key_file=key) as two,
        ):
            two.folder = one.folder
            node = await one.node("eu-central", "c-1")
            await two.until(lambda: two.plane.fleet.view(two.plane.clock.now_s()).nodes)
            said = (await one("POST", "/v1/sessions", PARIS)).json()
            other = (await two("POST", "/v1/sessions", PARIS)).json()
            assert {said["node"], other["node"]} == {"c-1"}
            assert len(node.held) == 2
            path = f"/v1/decisions/{said['decision']}"

            async def known() -> bool:
                return (await two("GET", path)).status_code == 200

            await two.until_it(known)
            why = (await two("GET", path, key="operator")).json()
            assert (why["control_plane"], why["node"]) == ("p-1", "c-1")

    asyncio.run(go())


def test_what_a_plane_decided_can_be_decided_again_from_its_stream(tmp_path: Path) -> None:
    """Seats granted and refused, nodes full and gone, a node's own ask: all from the records."""
    bus = MemoryBus()

    async def go() -> None:
        async with running(tmp_path, bus) as plane:
            full = await plane.node("eu-central", "c-1", seats=1)
            await plane.node("eu-west", "w-1", answer=lambda _: None)
            await plane.node("eu-west", "w-2")
            await plane.node("ap-south", "s-1")
            for _ in range(4):
                await plane("POST", "/v1/sessions", PARIS | {"policy": "eu-only"})
            await full.leave()
            for policy in ("eu-only", "anywhere", "ksa-only"):
                await plane("POST", "/v1/sessions", PARIS | {"policy": policy})

    asyncio.run(go())
    lines = bus.log("RECORDS").after(0, subjects.record("p-1"))
    batches = [read_batch(line.data) for line in lines]
    result = replay(batches)
    assert result.decisions >= 7  # a caller who waits is decided again
    assert (result.differences, result.gaps, result.skipped) == ([], [], 0)
    made = [one for batch in batches for one in batch.records if isinstance(one, Decided)]
    assert len({one.ask.order for one in made}) == 7
    assert all(one.ask.may_wait for one in made)


RULED = """
rules:
  bank: {when: {tenants: [caller]}, require: [c5], may_refuse: true}
"""


def ruled(folder: Path, more: str = RULED) -> Path:
    """The world that ships, with other rules."""
    text = Path("shared/regions/regions.yaml").read_text()
    without = text[: text.index("rules:\n")]
    path = folder / "regions.yaml"
    path.write_text(without + more)
    return path


def test_a_rule_decides_with_the_policy_and_the_decision_says_so(tmp_path: Path) -> None:
    """Compliance reads: which rule of which version, on what facts, signed by whom."""

    async def go(plane: Running) -> None:
        await plane.node("eu-west", "w-1")
        node = await plane.node("eu-central", "c-1")
        dublin = {"place": {"lat": 53.35, "lon": -6.26}, "country": "IE", "data": "legal"}
        said = (await plane("POST", "/v1/sessions", dublin | {"policy": "eu-only"})).json()
        assert said["region"] == "eu-central"  # Dublin is nearer, and lacks the certificate
        why = (await plane("GET", f"/v1/decisions/{said['decision']}", key="operator")).json()
        assert (why["data"], why["countries"], why["rules"]) == ("legal", ["ie"], ["bank"])
        assert (why["removed"]["eu-west"], why["removed"]["us-east"]) == (
            "bank.require.c5",
            "eu-only.allow",
        )
        assert why["policy_version"] == plane.plane.regions.now.world.version
        assert why["signed_by"] == fingerprint(plane.plane.key)
        (wanted,) = node.asked
        assert (wanted.data, wanted.countries) == ("legal", ("ie",))
        ticket = verify_ticket(
            said["ticket"], plane.plane.key.public_key(), node="c-1", boot=node.boot, now_s=wall_s()
        )
        assert ticket.data == "legal"

    with_plane(tmp_path, go, regions_file=ruled(tmp_path))


def test_a_date_that_passes_and_a_world_that_changes_decide_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for one who waits: he is decided by what holds when a seat becomes free."""
    now = [0]
    for module in ("placing", "api.admitting"):
        monkeypatch.setattr(f"control_plane.{module}.wall_ms", lambda: now[0])
    rules = RULED.replace("require: [c5]", "allow: [ksa], from: 1970-01-01T00:00:01Z")

    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1", seats=1)
        body = PARIS | {"policy": "eu-health"}
        first = await plane("POST", "/v1/sessions", body)
        assert first.status_code == 201
        async with asyncio.TaskGroup() as group:
            second = group.create_task(plane("POST", "/v1/sessions", body))
            await plane.until(lambda: len(plane.plane.waiting) == 1)
            now[0] = 1000
            node.held.clear()
            await node.report()
            assert (await second).json()["code"] == "not_allowed"
        assert (await plane("POST", "/v1/sessions", body)).json()["code"] == "not_allowed"
        ruled(tmp_path, "")
        plane.plane.regions.look()
        plane.plane.regions.look()
        assert (await plane("POST", "/v1/sessions", body)).status_code == 201

    with_plane(tmp_path, go, regions_file=ruled(tmp_path, rules))


def test_decisions_with_rules_can_be_made_again_from_the_records(tmp_path: Path) -> None:
    bus = MemoryBus()
    rules = RULED.replace("require: [c5]", "forbid: [india], from: 2020-01-01") + (
        "  german: {when: {countries: [de], data: [health]}, forbid: [ksa], may_refuse: true}\n"
    )

    async def go() -> None:
        async with running(tmp_path, bus, regions_file=ruled(tmp_path, rules)) as plane:
            for region in ("eu-central", "me-central", "ap-south"):
                await plane.node(region, f"{region}-1")
            for more in ({}, {"country": "DE", "data": "health"}, {"policy": "ksa-only"}):
                await plane("POST", "/v1/sessions", PARIS | {"policy": "default"} | more)

    asyncio.run(go())
    batches = [
        read_batch(line.data) for line in bus.log("RECORDS").after(0, subjects.record("p-1"))
    ]
    result = replay(batches)
    assert result.decisions >= 3
    assert (result.differences, result.gaps, result.skipped) == ([], [], 0)
    assert replay([without_facts(batch) for batch in batches]).differences


def without_facts(batch: Batch) -> Batch:
    """The records as somebody would have them who hides whose sessions they were."""
    records = tuple(
        msgspec.structs.replace(one, ask=msgspec.structs.replace(one.ask, tenant="other"))
        if isinstance(one, Decided)
        else one
        for one in batch.records
    )
    return msgspec.structs.replace(batch, records=records)
