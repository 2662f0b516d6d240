"""The API over a centre whose parts answer what the test says."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from control_plane.api.app import make_app, make_front
from control_plane.api.centre import Centre
from control_plane.commands import CommandRefused
from control_plane.orders import Order
from control_plane.placing import Gone, never
from control_plane.repeats import Repeats
from control_plane.sessions.moving import MoveUnderWay
from control_plane.sessions.table import SessionTable
from control_plane.sessions.usage import Usage
from control_plane.tenants.keys import KeyRecord, Keyring, Role
from control_plane.world import WorldNow, read_text, regions_path
from heliovox.protocol.control import (
    DecisionView,
    InLine,
    Moved,
    NearestView,
    NodeView,
    Placed,
    RegionView,
    ResumeRequest,
)
from heliovox.protocol.draining import DrainView, Stays
from shared.clock import SystemClock
from shared.errors import NoRoom, NotFound
from shared.exchange import Bundle
from shared.keys import key_digest
from shared.ledger.heads import Head, Witnessed
from shared.metrics import Metrics
from tests.unit.control_plane.sessions.test_table import note, row

WORLD = WorldNow(read_text(regions_path(None)), "regions.yaml")
PLACED = Placed(
    session="s-1",
    node="n-1",
    region="eu-central",
    url="ws://n-1/v1/stream",
    ticket="t.t.t",
    expires_s=30.0,
    decision="p-000000000001",
    policy="eu-only",
    policy_version="v",
    home_region="eu-central",
    overflow=False,
    reasons=("nearest_allowed",),
    rtt_ms=9.5,
)
DECIDED = DecisionView(
    id="p-000000000001",
    at_ms=1,
    control_plane="p",
    view=1,
    kind="recognition",
    language="en",
    model=None,
    policy="eu-only",
    policy_version="v",
    tenant="alice",
    place=None,
    place_source="given",
    allowed_regions=("eu-central",),
    home_region="eu-central",
    outcome="placed",
    node="n-1",
    region="eu-central",
    reasons=("nearest_allowed",),
    ranking=(),
    losers=(),
    session="s-1",
)


class Parts:
    """Placing, Fleets, Explaining and Ending in one."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.drained: list[tuple[str, str]] = []
        self.moved: list[tuple[str, str | None]] = []
        self.ended: list[str] = []
        self.fault: Exception | None = None
        self.answer: Placed | InLine = PLACED
        self.looked: list[tuple[str, str, float]] = []
        self.left: list[tuple[str, str]] = []
        self.resumed: list[tuple[str, ResumeRequest, str, str | None]] = []

    async def place(self, order: Order, gone: Gone = never) -> Placed | InLine:
        self.orders.append(order)
        if self.fault is not None:
            raise self.fault
        return self.answer

    async def look(self, waiting: str, tenant: str, wait_s: float) -> Placed | InLine:
        self.looked.append((waiting, tenant, wait_s))
        if self.fault is not None:
            raise self.fault
        return self.answer

    async def leave(self, waiting: str, tenant: str) -> None:
        self.left.append((waiting, tenant))

    async def resume(
        self, session: str, asked: ResumeRequest, who: KeyRecord, own_address: str | None
    ) -> Placed:
        self.resumed.append((session, asked, who.name, own_address))
        if self.fault is not None:
            raise self.fault
        return PLACED

    def nearest(self, order: Order, most: int) -> Sequence[NearestView]:
        self.orders.append(order)
        return [NearestView("eu-central", f"n-{at}", "ws://n", 1.0) for at in range(5)][:most]

    def nodes(self) -> Sequence[NodeView]:
        return []

    def regions(self) -> Sequence[RegionView]:
        return []

    async def drain(self, node: str, *, keep: bool) -> DrainView:
        self._known(node)
        self.drained.append((node, f"keep={keep}"))
        return DRAINED

    async def undrain(self, node: str) -> None:
        self._known(node)
        self.drained.append((node, "undrain"))

    async def view(self, node: str) -> DrainView:
        self._known(node)
        return DRAINED

    def _known(self, node: str) -> None:
        if node != "n-1":
            raise NotFound("no such node", field="node", value=node)
        if self.fault is not None:
            raise self.fault

    async def move(self, session: str, to: str | None) -> Moved:
        self.moved.append((session, to))
        if self.fault is not None:
            raise self.fault
        return Moved(session, "n-1", "n-2", "eu-central", "p-1")

    async def decision(self, decision_id: str) -> DecisionView | None:
        return DECIDED if decision_id == DECIDED.id else None

    async def end(self, session: str) -> None:
        self.ended.append(session)

    async def files(self, from_ms: int, until_ms: int | None) -> dict[str, bytes]:
        return {"of": f"{from_ms} {until_ms}".encode()}

    async def heads(self) -> list[Witnessed]:
        return [WITNESSED]


DRAINED = DrainView("n-1", True, False, 3, 1, 4, (Stays("s", "no_room", "none"),), False)
WITNESSED = Witnessed(Head("n-1", "r-1", "b", "l", "k", 1, "x", "y", 5), "s", "p-1", 6, "t")


def record(name: str, *policies: str, role: Role = "caller") -> KeyRecord:
    return KeyRecord(name, name, (role,), policies or ("*",), "", key_digest(f"key of {name}"))


class Api:
    """The application, asked without a socket."""

    def __init__(self, make: Callable[[Centre], Any] = make_front) -> None:
        self.parts = Parts()
        self.well: str | None = None
        ring = Keyring([record("alice"), record("bob", "eu-only"), record("op", role="operator")])
        self.table, self.usage = SessionTable(100), Usage()
        self.app = make(
            Centre(
                keyring=lambda: ring,
                world=lambda: WORLD,
                bundle=lambda: Bundle("b-1", "p-1", "secret?", (), ("eu-central",), 0, 1),
                fallback=lambda: None,
                placing=self.parts,
                going_on=self.parts,
                moving=self.parts,
                draining=self.parts,
                fleets=self.parts,
                explaining=self.parts,
                ending=self.parts,
                ledger=self.parts,
                table=self.table,
                usage=self.usage,
                checks={"bus": lambda: self.well},
                metrics=Metrics([]),
                repeats=Repeats(SystemClock()),
            )
        )

    def __call__(
        self, method: str, path: str, body: Any = None, who: str | None = "alice", **more: Any
    ) -> httpx.Response:
        async def go() -> httpx.Response:
            headers = {} if who is None else {"Authorization": f"Bearer key of {who}"}
            transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://c") as client:
                return await client.request(method, path, json=body, headers=headers, **more)

        return asyncio.run(go())


@pytest.fixture(params=[make_front, make_app], ids=["served", "framework alone"])
def api(request: pytest.FixtureRequest) -> Api:
    """As it is served, and without the short way: nobody can tell one from the other."""
    return Api(request.param)


PARIS = {"place": {"lat": 48.85, "lon": 2.35}}


def test_a_session_is_placed(api: Api) -> None:
    answer = api("POST", "/v1/sessions", PARIS | {"policy": "eu-only"})
    assert answer.status_code == 201
    assert answer.json()["node"] == "n-1"
    (order,) = api.parts.orders
    assert (order.policy.name, order.facts.tenant, order.at.source) == ("eu-only", "alice", "given")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"place": {"lat": 91, "lon": 0}}, 400, "invalid_message", "place.lat"),
        ({"place": {"lat": 0, "lon": -181}}, 400, "invalid_message", "place.lon"),
        ({"country": "XX"}, 422, "unsupported", "country"),
        ({"country": ""}, 422, "unsupported", "country"),
        ({"address": "999.1.1.1"}, 400, "invalid_message", "address"),
        ({}, 400, "invalid_message", "place"),
        (PARIS | {"policy": "moon-only"}, 422, "unsupported", "policy"),
        (PARIS | {"kind": "dance"}, 422, "unsupported", "kind"),
        (PARIS | {"language": ""}, 400, "invalid_message", "language"),
        (PARIS | {"language": "x" * 1000}, 400, "invalid_message", "language"),
        (PARIS | {"model": "\u0000"}, 400, "invalid_message", "model"),
        (PARIS | {"colour": "red"}, 400, "invalid_message", None),
        ({"place": {"lat": "x", "lon": 0}}, 400, "invalid_message", None),
        ([], 400, "invalid_message", None),
    ],
)
def test_what_makes_no_sense_is_refused(
    api: Api, body: Any, status: int, code: str, field: str | None
) -> None:
    answer = api("POST", "/v1/sessions", body)
    assert answer.headers["content-type"].startswith("application/problem+json")
    said = answer.json()
    assert (answer.status_code, said["status"], said["code"]) == (status, status, code)
    if field is not None:
        assert said["field"] == field
        assert said["remedy"]
    assert api.parts.orders == []


def test_a_body_that_is_no_json_or_too_large_is_refused(api: Api) -> None:
    async def go(content: bytes) -> httpx.Response:
        headers = {"Authorization": "Bearer key of alice", "Content-Type": "application/json"}
        transport = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://c") as client:
            return await client.post("/v1/sessions", content=content, headers=headers)

    assert asyncio.run(go(b"{]")).status_code == 400
    assert asyncio.run(go(b'{"language": "' + b"x" * 20_000 + b'"}')).status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/sessions"),
        ("GET", "/v1/sessions"),
        ("GET", "/v1/sessions/s"),
        ("DELETE", "/v1/sessions/s"),
        ("POST", "/v1/sessions/s/resume"),
        ("POST", "/v1/sessions/s/move"),
        ("GET", "/v1/nearest"),
        ("GET", "/v1/regions"),
        ("GET", "/v1/nodes"),
        ("GET", "/v1/decisions/d"),
        ("GET", "/v1/policies"),
        ("GET", "/v1/usage"),
        ("POST", "/v1/nodes/n-1/drain"),
        ("POST", "/v1/nodes/n-1/undrain"),
    ],
)
@pytest.mark.parametrize("who", [None, "nobody"])
def test_everything_but_probes_needs_a_key(
    api: Api, method: str, path: str, who: str | None
) -> None:
    answer = api(method, path, PARIS if path == "/v1/sessions" and method == "POST" else None, who)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_policy_that_the_key_does_not_permit_is_forbidden(api: Api) -> None:
    answer = api("POST", "/v1/sessions", PARIS | {"policy": "anywhere"}, "bob")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert api("POST", "/v1/sessions", PARIS, "bob").status_code == 201
    assert api.parts.orders[-1].policy.name == "eu-only"


def test_a_refusal_names_its_decision(api: Api) -> None:
    api.parts.fault = NoRoom("full", decision="p-000000000009", remedy="later")
    answer = api("POST", "/v1/sessions", PARIS)
    said = answer.json()
    assert (answer.status_code, said["code"], said["retryable"]) == (503, "no_room", True)
    assert said["decision"] == "p-000000000009"
    assert answer.headers["retry-after"] == "1"


def test_a_fault_of_our_own_is_said_without_its_insides(api: Api) -> None:
    api.parts.fault = RuntimeError("secret insides")
    answer = api("POST", "/v1/sessions", PARIS)
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_only_operators_drain(api: Api) -> None:
    answer = api("POST", "/v1/nodes/n-1/drain")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert api("GET", "/v1/nodes/n-1/drain").json()["code"] == "forbidden"
    answer = api("POST", "/v1/nodes/n-1/drain", who="op")
    assert (answer.status_code, answer.json()["moved"]) == (200, 4)
    assert api("GET", "/v1/nodes/n-1/drain", who="op").json()["stays"][0]["code"] == "no_room"
    assert api("POST", "/v1/nodes/n-1/drain?keep=true", who="op").status_code == 200
    assert api("POST", "/v1/nodes/n-1/undrain", who="op").status_code == 204
    assert api.parts.drained == [
        ("n-1", "keep=False"), ("n-1", "keep=True"), ("n-1", "undrain"),
    ]  # fmt: skip
    assert api("POST", "/v1/nodes/n-9/drain", who="op").status_code == 404
    api.parts.fault = CommandRefused("no")
    assert api("POST", "/v1/nodes/n-1/drain", who="op").json()["code"] == "command_refused"


def test_only_operators_move_sessions(api: Api) -> None:
    assert api("POST", "/v1/sessions/s-1/move", {}).json()["code"] == "forbidden"
    answer = api("POST", "/v1/sessions/s-1/move", {}, who="op")
    assert (answer.status_code, answer.json()["to_node"]) == (200, "n-2")
    api.parts.fault = MoveUnderWay("it goes")
    answer = api("POST", "/v1/sessions/s-1/move", {"to": "n-3"}, who="op")
    assert (answer.status_code, answer.json()["code"]) == (409, "move_under_way")
    assert api.parts.moved == [("s-1", None), ("s-1", "n-3")]


def test_callers_see_their_own_sessions_and_operators_all(api: Api) -> None:
    api.table.noted(note("started", "a", tenant="alice"))
    api.table.noted(note("started", "b", tenant="bob"))
    assert [s["session"] for s in api("GET", "/v1/sessions").json()] == ["a"]
    assert [s["session"] for s in api("GET", "/v1/sessions", who="op").json()] == ["b", "a"]
    assert api("GET", "/v1/sessions/a").json()["tenant"] == "alice"
    assert api("GET", "/v1/sessions/b").status_code == 404
    assert api("GET", "/v1/sessions/b", who="op").status_code == 200
    assert api("DELETE", "/v1/sessions/b").status_code == 404
    assert api.parts.ended == []


def test_sessions_are_listed_by_state_and_not_without_end(api: Api) -> None:
    for name in "abc":
        api.table.noted(note("started", name, tenant="alice"))
    api.table.noted(note("ended", "a", tenant="alice"))
    listed = api("GET", "/v1/sessions?state=live&limit=1").json()
    assert [one["session"] for one in listed] == ["c"]
    assert len(api("GET", "/v1/sessions?state=ended").json()) == 1
    assert api("GET", "/v1/sessions?state=lazy").status_code == 400
    assert api("GET", "/v1/sessions?limit=0").status_code == 400
    assert api("GET", "/v1/sessions?limit=100000").status_code == 400


def test_ending_what_has_ended_does_no_harm(api: Api) -> None:
    api.table.noted(note("started", "a", tenant="alice"))
    assert api("DELETE", "/v1/sessions/a").status_code == 204
    api.table.noted(note("ended", "a", tenant="alice"))
    assert api("DELETE", "/v1/sessions/a").status_code == 204
    assert api.parts.ended == ["a"]


def test_a_reserved_session_can_be_given_back(api: Api) -> None:
    api.table.placed(row("r"))
    assert api("DELETE", "/v1/sessions/r", who="op").status_code == 204
    assert api.parts.ended == ["r"]


def test_a_decision_is_its_tenants_and_operators(api: Api) -> None:
    path = f"/v1/decisions/{DECIDED.id}"
    assert api("GET", path).json()["reasons"] == ["nearest_allowed"]
    assert api("GET", path).json()["reader"] == "caller"
    assert api("GET", path, who="op").json()["reader"] == "operator"
    for reader in ("caller", "operator", "compliance"):
        asked = f"{path}?for={reader}"
        assert api("GET", asked, who="op").json()["reader"] == reader
        assert api("GET", asked).status_code == (200 if reader == "caller" else 403)
        assert api("GET", asked, who="bob").status_code == (404 if reader == "caller" else 403)
    assert api("GET", f"{path}?for=nobody", who="op").status_code == 400
    assert api("GET", path, who="op").status_code == 200
    assert api("GET", path, who="bob").status_code == 404
    assert api("GET", "/v1/decisions/other").status_code == 404


def test_nearest_takes_a_place_a_country_or_an_address(api: Api) -> None:
    for query, source in [
        ("lat=48.85&lon=2.35", "given"),
        ("country=fr", "country"),
        ("address=8.8.8.8", "address"),
    ]:
        answer = api("GET", f"/v1/nearest?{query}&policy=eu-only&limit=2")
        assert (answer.status_code, len(answer.json())) == (200, 2)
        assert api.parts.orders[-1].at.source == source
    for query in ["lat=48.85", "lat=x&lon=1", "lat=nan&lon=1", "country=zz", "", "lat=91&lon=0"]:
        assert api("GET", f"/v1/nearest?{query}").status_code in (400, 422)


def test_policies_say_where_sessions_may_be(api: Api) -> None:
    said = {one["policy"]: one for one in api("GET", "/v1/policies", who="bob").json()}
    assert said["eu-only"]["permitted"]
    assert not said["anywhere"]["permitted"]
    assert set(said["eu-only"]["allowed_regions"]) == {"eu-central", "eu-west"}
    assert [one["policy"] for one in said.values() if one["default"]] == ["default"]


def test_usage_is_ones_own(api: Api) -> None:
    api.usage.noted(note("ended", "a", tenant="alice", audio_ms=5))
    api.usage.noted(note("ended", "b", tenant="bob", audio_ms=7))
    assert [line["audio_ms"] for line in api("GET", "/v1/usage").json()] == [5]
    assert [line["audio_ms"] for line in api("GET", "/v1/usage", who="op").json()] == [5, 7]


def test_probes_need_no_key(api: Api) -> None:
    assert api("GET", "/healthz", who=None).text == "ok\n"
    assert api("GET", "/readyz", who=None).json() == {"ready": True, "checks": {"bus": "ok"}}
    api.well = "gone"
    answer = api("GET", "/readyz", who=None)
    assert (answer.status_code, answer.json()["checks"]) == (503, {"bus": "gone"})
    answer = api("GET", "/metrics", who=None)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_the_schema_describes_every_path(api: Api) -> None:
    schema = json.loads(api("GET", "/schema/openapi.json", who=None).text)
    assert {path for path in schema["paths"] if path.startswith("/v1")} == {
        "/v1/sessions",
        "/v1/sessions/{session_id}",
        "/v1/sessions/{session_id}/resume",
        "/v1/sessions/{session_id}/move",
        "/v1/nearest",
        "/v1/regions",
        "/v1/nodes",
        "/v1/nodes/{node}/drain",
        "/v1/nodes/{node}/undrain",
        "/v1/decisions/{decision_id}",
        "/v1/policies",
        "/v1/bundle",
        "/v1/ledger",
        "/v1/ledger/heads",
        "/v1/usage",
        "/v1/waiting/{waiting}",
        "/v1/waiting/{waiting}/events",
    }
    names = {each["name"] for each in schema["paths"]["/v1/nearest"]["get"]["parameters"]}
    assert names == {
        "lat",
        "lon",
        "country",
        "address",
        "policy",
        "kind",
        "language",
        "model",
        "data",
        "limit",
    }


def test_who_goes_on_elsewhere_is_handed_on_with_his_key(api: Api) -> None:
    asked = {"token": "t", "request": {"language": "en"}, "without": ["n-2"]}
    answer = api("POST", "/v1/sessions/s-1/resume", asked)
    assert (answer.status_code, answer.json()["node"]) == (201, "n-1")
    ((session, said, who, own),) = api.parts.resumed
    assert (session, said.token, said.without) == ("s-1", "t", ("n-2",))
    assert (said.request.language, who, own) == ("en", "alice", "127.0.0.1")
    assert api("POST", "/v1/sessions/s-1/resume", {"request": {}}).status_code == 400


def test_the_bundle_of_now_is_told_by_its_version_alone() -> None:
    assert Api()("GET", "/v1/bundle").json() == {
        "version": "b-1",
        "policy_version": "p-1",
        "in_service": ["eu-central"],
    }
    assert Api()("GET", "/v1/bundle", who=None).status_code == 401
