"""The SDK on its way to a seat: through a control plane, and where nodes send it on."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from heliovox.client import (
    CannotConnect,
    Client,
    Limits,
    NodeMisbehaved,
    Refused,
    TimedOut,
    Unauthorised,
)
from heliovox.client.control import ControlPlane
from heliovox.client.opening import MAX_REDIRECTS
from heliovox.client.roads import by_ticket
from heliovox.protocol import messages as m
from heliovox.protocol.control import NearestView
from tests.support.fake_control import FakeControl, fake_control, placed
from tests.support.scripted_node import LIMIT_S, STARTED, Stage, first

pytestmark = pytest.mark.anyio
Play = Callable[[Stage, int], Awaitable[None]]


class Node:
    """Plays for every caller who comes, and remembers what they showed and said."""

    def __init__(self) -> None:
        self.url = ""
        self.shown: list[str | None] = []
        self.starts: list[m.Start] = []


@asynccontextmanager
async def node(play: Play) -> AsyncIterator[Node]:
    remembered = Node()

    async def meet(connection: ServerConnection) -> None:
        assert connection.request is not None
        remembered.shown.append(connection.request.headers.get("Authorization"))
        stage = Stage(connection)
        remembered.starts.append(await stage.hears(m.Start))
        await play(stage, len(remembered.starts))

    async with serve(
        meet, "127.0.0.1", 0, compression=None, close_timeout=0.5, select_subprotocol=first
    ) as server:
        remembered.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/stream"
        yield remembered


async def admits(stage: Stage, _count: int) -> None:

    await stage.says(STARTED)
    await stage.connection.wait_closed()


def sends_on(url: Callable[[], str]) -> Play:
    async def play(stage: Stage, count: int) -> None:
        to = url()
        await stage.says(m.Redirect(to, f"ticket-{count}", "n-2", "eu-west", "c-2", "node_full"))
        await stage.connection.close(4307)

    return play


async def enter(client: Client, **options: Any) -> None:
    async with client.session(**options):
        raise AssertionError("the session must not open")


def through(fake: FakeControl, limits: Limits | None = None) -> Client:
    return Client(control=fake.url, key="secret", proxy=None, limits=limits or Limits())


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{closed.getsockname()[1]}/v1/stream"


async def test_a_session_is_placed_and_opened_with_its_ticket() -> None:
    async with node(admits) as there:
        with fake_control({"POST /v1/sessions": (201, placed(there.url))}) as fake:
            client = through(fake)
            async with client.session(place=(48.85, 2.35), policy="eu-only") as session:
                assert session.placed == placed(there.url)
                assert session.started.node == "n-1"
    assert there.shown == ["Ticket t-1"]
    (asked,) = fake.asked
    assert asked.authorization == "Bearer secret"
    assert asked.body["place"] == {"lat": 48.85, "lon": 2.35}
    assert (asked.body["policy"], asked.body["kind"]) == ("eu-only", "recognition")


async def test_a_country_stands_in_for_a_place() -> None:
    async with node(admits) as there:
        with fake_control({"POST /v1/sessions": (201, placed(there.url))}) as fake:
            async with through(fake).session(country="IN"):
                pass
    assert (fake.asked[0].body["country"], fake.asked[0].body["place"]) == ("IN", None)


async def test_a_refusal_of_the_control_plane_is_told_with_everything() -> None:
    problem = {"code": "no_room", "status": 503, "title": "x", "detail": "2 nodes are full",
               "remedy": "later", "retryable": True, "decision": "c-9"}  # fmt: skip
    with (
        fake_control({"POST /v1/sessions": (503, problem)}) as fake,
        pytest.raises(Refused) as caught,
    ):
        await enter(through(fake))
    error = caught.value
    assert (error.code, error.message, error.remedy) == ("no_room", "2 nodes are full", "later")
    assert (error.retryable, error.decision) == (True, "c-9")
    assert len(fake.asked) == 1, "asking again is the application's business"


async def test_a_node_that_is_full_after_all_is_told() -> None:
    async def full(stage: Stage, _count: int) -> None:
        await stage.says(m.Error("node_full", "no seat", retryable=True))
        await stage.connection.close(1013)

    async with node(full) as there:
        with (
            fake_control({"POST /v1/sessions": (201, placed(there.url))}) as fake,
            pytest.raises(Refused, match="node_full"),
        ):
            await enter(through(fake))
    assert len(fake.asked) == 1


async def dies(stage: Stage, _count: int) -> None:
    stage.connection.transport.abort()


async def does_not_know_the_ticket(stage: Stage, _count: int) -> None:
    await stage.says(m.Error("ticket_refused", "the node was started again since"))
    await stage.connection.close(4401)


@pytest.mark.parametrize("play", [dies, does_not_know_the_ticket])
async def test_a_node_that_died_before_the_caller_came_is_replaced_once(play: Play) -> None:
    async with node(play) as dead, node(admits) as other:
        urls = iter([dead.url, other.url])
        answers = {"POST /v1/sessions": lambda: (201, placed(next(urls)))}
        with fake_control(answers) as fake:
            async with through(fake).session() as session:
                assert session.placed is not None
                assert session.placed.url == other.url
    assert len(fake.asked) == 2


async def test_it_is_replaced_once_only() -> None:
    with (
        fake_control({"POST /v1/sessions": lambda: (201, placed(nobody()))}) as fake,
        pytest.raises(CannotConnect),
    ):
        await enter(through(fake))
    assert len(fake.asked) == 2


async def test_a_redirect_is_followed_before_anybody_notices() -> None:
    async with (
        node(admits) as there,
        node(sends_on(lambda: there.url)) as here,
        Client(here.url, "secret", proxy=None).session(
            place=(48.85, 2.35), policy="eu-only"
        ) as session,
    ):
        assert session.started.node == "n-1"
        assert [step.reason for step in session.redirects] == ["node_full"]
        assert session.placed is None
    assert (here.shown, there.shown) == (["Bearer secret"], ["Ticket ticket-1"])
    assert here.starts == there.starts
    start = here.starts[0]
    assert (start.redirect, start.policy, start.place) == (True, "eu-only", m.Place(48.85, 2.35))


async def test_a_circle_of_redirects_ends() -> None:
    async with node(sends_on(lambda: circle.url)) as circle:
        with pytest.raises(NodeMisbehaved, match="sent on"):
            await enter(Client(circle.url, "secret", proxy=None))
    assert len(circle.starts) == MAX_REDIRECTS + 1


async def test_a_dead_end_is_asked_about_once_more() -> None:
    """The node in between asks the centre again, which knows better by then."""
    async with node(admits) as there:
        ways = iter([nobody(), there.url])
        async with (
            node(sends_on(lambda: next(ways))) as here,
            Client(here.url, "secret", proxy=None).session(),
        ):
            pass
    assert there.shown == ["Ticket ticket-2"]


async def test_a_redirect_after_started_breaks_the_protocol() -> None:
    async def late(stage: Stage, count: int) -> None:

        await stage.says(STARTED)
        await sends_on(nobody)(stage, count)

    async with node(late) as here, Client(here.url, proxy=None).session() as session:
        with pytest.raises(NodeMisbehaved):
            await anext(session)


@pytest.mark.parametrize("url", ["ftp://x", "ws://user:pw@x", "ws://"])
async def test_an_address_that_is_none_is_not_gone_to(url: str) -> None:
    with (
        fake_control({"POST /v1/sessions": (201, placed(url))}) as fake,
        pytest.raises(NodeMisbehaved),
    ):
        await enter(through(fake))


async def test_nobody_is_sent_from_a_closed_line_to_an_open_one() -> None:

    assert by_ticket("wss://x", "t", "https://c").url.startswith("wss://x")
    for sent_by in ("https://c", "wss://n/v1/stream"):
        with pytest.raises(NodeMisbehaved, match="readable"):
            by_ticket("ws://x", "t", sent_by)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": "a:1", "control": "b:1"},
        {"control": "ws://b:1"},
        {"control": "http://k@b:1"},
        {"control": "http://b:1?key=1"},
        {"control": ""},
    ],
)
def test_a_client_has_one_address(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"control|url"):
        Client(**options)  # type: ignore[arg-type]


def test_tls_goes_with_https() -> None:
    Client(control="https://c", tls=ssl.create_default_context())
    with pytest.raises(ValueError, match="tls"):
        Client(control="http://c", tls=ssl.create_default_context())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, b"<html>"), NodeMisbehaved),
        ((200, {"session": 3}), NodeMisbehaved),
        ((302, b""), CannotConnect),
        ((500, b"oops"), CannotConnect),
        ((401, {"code": "unauthorised", "detail": "unknown key"}), Unauthorised),
        ((401, b""), Unauthorised),
    ],
)
async def test_any_answer_is_a_seat_or_a_named_error(
    answer: tuple[int, object], error: type[Exception]
) -> None:
    with fake_control({"POST /v1/sessions": answer}) as fake, pytest.raises(error):
        await enter(through(fake))


async def test_a_control_plane_that_does_not_answer_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = Client(control=url, proxy=None, limits=Limits(ask_s=0.05))
        with pytest.raises(TimedOut):
            await enter(client)


async def test_a_caller_who_gives_up_waiting_hangs_up() -> None:
    """Else the control plane would find a seat for nobody."""
    async with asyncio.timeout(LIMIT_S):
        asked, gone = asyncio.Event(), asyncio.Event()

        async def serve_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            while await reader.read(1024):
                pass
            gone.set()
            writer.close()

        server = await asyncio.start_server(serve_nothing, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            work = enter(Client(control=url, proxy=None))
            task = asyncio.get_running_loop().create_task(work)
            await asked.wait()
            task.cancel()
            await gone.wait()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_no_control_plane_there() -> None:
    client = Client(control=nobody().replace("ws:", "http:"), proxy=None)
    with pytest.raises(CannotConnect):
        await enter(client)


async def test_the_nearest_nodes_can_be_asked_for() -> None:
    view = [NearestView("eu-central", "n-1", "ws://x", 9.0)]
    with fake_control({"GET /v1/nearest": (200, view)}) as fake:
        assert await ControlPlane(fake.url, "k", proxy=None).nearest(48.85, 2.35) == view
    assert fake.asked[0].path == "/v1/nearest?lat=48.85&lon=2.35"


async def test_names_in_paths_are_quoted() -> None:
    with fake_control({}) as fake, pytest.raises(Refused):
        await ControlPlane(fake.url, "k", proxy=None).decision("../a b?c")
    assert fake.asked[0].path == "/v1/decisions/..%2Fa%20b%3Fc?for=operator"


IN_LINE = {"waiting": "w-1", "expires_s": 10.0, "position": 2}


async def test_a_policy_that_calls_back_is_followed_to_the_seat() -> None:
    async with node(admits) as there:
        looks = iter([(202, IN_LINE | {"position": 1}), (200, placed(there.url))])
        with fake_control(
            {"POST /v1/sessions": (202, IN_LINE), "GET /v1/waiting/w-1": lambda: next(looks)}
        ) as control:
            told: list[int] = []
            client = Client(control=control.url, key="secret", proxy=None)
            async with client.session(waits=lambda line: told.append(line.position)) as session:
                assert session.placed is not None
                assert session.placed.ticket == "t-1"
            assert told == [2, 1]
            assert there.shown == ["Ticket t-1"]
            assert [asked.method for asked in control.asked] == ["POST", "GET", "GET"]


async def test_the_end_of_a_wait_without_a_seat_is_the_refusal() -> None:
    no = (503, {"code": "no_room", "detail": "full", "status": 503, "retryable": True})
    with fake_control({"POST /v1/sessions": (202, IN_LINE), "GET /v1/waiting/w-1": no}) as control:
        with pytest.raises(Refused) as refused:
            async with Client(control=control.url, proxy=None).session():
                pass
        assert (refused.value.code, refused.value.retryable) == ("no_room", True)


async def test_whoever_will_not_wait_leaves_the_line() -> None:
    answers = {"POST /v1/sessions": (202, IN_LINE), "DELETE /v1/waiting/w-1": (204, b"")}
    waits = (202, IN_LINE)
    with fake_control(answers | {"GET /v1/waiting/w-1": waits}) as control:
        with pytest.raises(TimeoutError):
            async with (
                asyncio.timeout(0.3),
                Client(control=control.url, proxy=None).session(),
            ):
                pass
        assert "DELETE" in [one.method for one in control.asked]
