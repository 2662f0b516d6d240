"""The SDK in a whole world: real buses, a real control plane, two real nodes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from heliovox.client import Client, Limits, Refused
from heliovox.client.control import ControlPlane, Waits
from heliovox.client.opening import Again, Opener, Wanted
from heliovox.client.roads import Target, Wires
from heliovox.local.home import Home
from heliovox.local.world.settings import Plan
from heliovox.local.world.world import LocalWorld, local_world
from heliovox.protocol.control import Placed, SessionRequest
from heliovox.protocol.messages import Place, Start
from tests.support.fleet import opened, spoken_words
from tests.support.world_process import environment

pytestmark = [pytest.mark.process, pytest.mark.anyio]
PARIS = (48.85, 2.35)
STREAMS = 3
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalWorld]:
    folder = tmp_path_factory.mktemp("world")
    plan = Plan(
        Home(folder / "home"),
        environment(folder),
        regions=("eu-central", "eu-west"),
        streams_per_node=STREAMS,
        recogniser="scripted",
    )
    async with local_world(plan, lambda _name, _what: None) as running:
        yield running


@pytest.fixture
def client(world: LocalWorld) -> Client:
    assert world.file is not None
    return Client(control=world.file.control, key=world.caller_key, proxy=None)


async def everybody_left(world: LocalWorld) -> None:
    """Seats are given back by the time that nodes say so."""
    async with asyncio.timeout(LIMIT_S):
        while any(node.held or node.reserved for node in await world.operator.nodes()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_burst_gets_every_seat_and_not_one_more(world: LocalWorld, client: Client) -> None:
    async with asyncio.timeout(LIMIT_S), AsyncExitStack() as stay:

        async def comes() -> str:
            try:
                session = await stay.enter_async_context(
                    client.session(place=PARIS, policy="eu-only")
                )
            except Refused as refused:
                return f"{refused.code} {bool(refused.decision)}"
            return session.started.region or ""

        outcomes = await asyncio.gather(*(comes() for _ in range(4 * STREAMS)))
        held = {node.region: node.held for node in await world.operator.nodes()}
    placed = [one for one in outcomes if one.startswith("eu-")]
    assert sorted(placed) == ["eu-central"] * STREAMS + ["eu-west"] * STREAMS
    assert set(outcomes) - set(placed) == {"no_room True"}
    assert all(count <= STREAMS for count in held.values())
    await everybody_left(world)


async def test_a_ticket_is_good_once_and_on_its_node(world: LocalWorld, client: Client) -> None:
    assert client.control is not None
    placed = await client.control.place(SessionRequest(policy="eu-only", place=Place(*PARIS)))
    again = Again(None, lambda _: None, lambda: 0.5)
    opener = Opener(Start(), Wires(None, None, Limits()), again, Wanted(acknowledge=True))

    async def redeemed(url: str) -> str:
        try:
            session = await opener.at(Target(url, f"Ticket {placed.ticket}"))
        except Refused as refused:
            return refused.code
        await session.close()
        return session.started.region or ""

    other = f"{world.nodes_by_region['eu-west'].url}/v1/stream".replace("http:", "ws:")
    outcomes = [await redeemed(url) for url in (other, placed.url, placed.url)]
    assert outcomes == ["ticket_refused", "eu-central", "ticket_refused"]
    await everybody_left(world)


async def test_a_caller_who_comes_straight_to_a_node_is_sent_home(
    world: LocalWorld, client: Client
) -> None:
    away = Client(world.nodes_by_region["eu-west"].url, world.caller_key, proxy=None)
    async with away.session(place=PARIS, policy="eu-only") as session:
        assert session.started.region == "eu-central"
        assert [one.reason for one in session.redirects] == ["not_home"]
    home = Client(world.nodes_by_region["eu-central"].url, world.caller_key, proxy=None)
    async with home.session(place=PARIS, policy="eu-only") as session:
        assert (session.started.region, session.redirects) == ("eu-central", ())
        assert session.started.decision is None
    await everybody_left(world)


async def test_a_caller_who_cannot_follow_is_relayed_home(world: LocalWorld) -> None:
    """As a vendor's SDK comes: a key, any node's address, and no notion of redirects."""
    url = f"{world.nodes_by_region['eu-west'].url}/v1/stream".replace("http:", "ws:")
    async with connect(
        url,
        additional_headers={"Authorization": f"Bearer {world.caller_key}"},
        subprotocols=[Subprotocol("heliovox.v1")],
        compression=None,
        proxy=None,
    ) as call:
        started = await opened(call, place={"lat": 48.85, "lon": 2.35}, policy="eu-only")
        assert (started["type"], started["region"]) == ("started", "eu-central")
        assert (await world.operator.decision(started["decision"])).node == started["node"]
        assert await spoken_words(call, "hello   ") == ["hello"]
    await everybody_left(world)


@pytest.mark.parametrize("why", ["node_full", "node_draining"])
async def test_a_node_at_home_that_takes_nobody_sends_them_on(
    world: LocalWorld, client: Client, why: str
) -> None:
    """And serves again afterwards."""
    node = world.nodes_by_region["eu-central"]
    home = Client(node.url, world.caller_key, proxy=None)
    async with AsyncExitStack() as stay:
        if why == "node_draining":
            await world.operator.drain(node.name, keep=True)
            stay.push_async_callback(world.operator.undrain, node.name)
        else:
            for _ in range(STREAMS):
                await stay.enter_async_context(client.session(place=PARIS, policy="eu-only"))
        async with home.session(place=PARIS, policy="eu-only") as session:
            assert session.started.region == "eu-west"
            assert [one.reason for one in session.redirects] == [why]
    await everybody_left(world)
    async with home.session(place=PARIS, policy="eu-only") as session:
        assert (session.started.region, session.redirects) == ("eu-central", ())
    await everybody_left(world)


async def test_a_node_that_dies_between_the_seat_and_the_caller(
    world: LocalWorld, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He is placed anew, and notices nothing. The last test: the node stays dead."""
    places = ControlPlane.place
    placed: list[Placed] = []

    async def place_and_kill(
        plane: ControlPlane, request: SessionRequest, waits: Waits | None = None
    ) -> Placed:
        placed.append(await places(plane, request, waits))
        if len(placed) == 1:
            await world.nodes_by_region["eu-central"].child.kill()
        return placed[-1]

    monkeypatch.setattr(ControlPlane, "place", place_and_kill)
    async with (
        asyncio.timeout(LIMIT_S),
        client.session(place=PARIS, policy="eu-only") as session,
    ):
        assert session.started.region == "eu-west"
    assert [one.region for one in placed] == ["eu-central", "eu-west"]


def test_secrets_are_in_no_argument_and_no_log(world: LocalWorld) -> None:
    home = world.plan.home
    seeds = [path.read_text().strip() for path in (home.run / "nats" / "seeds").iterdir()]
    secrets = [world.caller_key, *seeds]
    arguments = [
        Path(f"/proc/{pid}/cmdline").read_bytes().decode() for _, pid, _ in world.processes()
    ]
    logs = [log.read_text() for log in home.logs.iterdir()]
    assert len(seeds) >= 5
    assert not [text for text in [*arguments, *logs] for secret in secrets if secret in text]
