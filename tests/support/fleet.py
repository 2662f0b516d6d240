"""A centre that a test writes, and nodes of its fleet in the test's own process."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from edge_node.app import Node
from edge_node.server import door_config
from edge_node.settings import EdgeSettings
from heliovox.protocol.messages import Place
from shared import subjects
from shared.bundle import sign_bundle
from shared.bus import Bus, Stream
from shared.bus.memory import MemoryBus
from shared.capacity import CapacityReport
from shared.clock import wall_s
from shared.exchange import (
    Bundle,
    Command,
    CommandDone,
    KeyGrant,
    NodeAsk,
    PlaceAnswer,
    Reserve,
    Reserved,
    SessionNote,
)
from shared.keys import key_digest
from shared.server import HttpServer, listen
from shared.service import Service, run_all
from shared.ticket import Ticket, sign_ticket
from tests.support.talk import spoken, words

LIMIT_S = 15.0
FINISH = '{"type":"finish"}'
PARIS, MUMBAI = Place(48.85, 2.35), Place(19.07, 72.88)
WORLD = """
regions:
  eu-central: {place: {lat: 50.11, lon: 8.68}, time_zone: Europe/Berlin, jurisdiction: de}
  eu-west: {place: {lat: 53.35, lon: -6.26}, time_zone: Europe/Dublin, jurisdiction: ie}
  ap-south: {place: {lat: 19.08, lon: 72.88}, time_zone: Asia/Kolkata, jurisdiction: in}
zones:
  eu: [de, ie]
  india: [in]
policies:
  default: {allow: [everywhere], overflow: {zones: [everywhere]}}
  eu-only: {allow: [eu], overflow: {zones: [eu]}}
  in-only: {allow: [india]}
  eu-kept: {allow: [eu], keep: {transcripts: {zones: [eu], days: 1}}}
"""


@dataclass
class FakeCentre:
    """Signs, answers and listens as a test tells it."""

    bus: Bus
    keys: dict[str, tuple[str, ...]]
    """Policies of each key; its tenant is called after it."""
    in_service: tuple[str, ...] = ("eu-central", "eu-west", "ap-south")
    life_s: float = 86_400.0
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    world: str = WORLD
    silent: bool = False
    answer: Callable[[NodeAsk], PlaceAnswer | None] = lambda _: None
    asks: list[NodeAsk] = field(default_factory=list)
    given_back: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    reports: "asyncio.Queue[CapacityReport]" = field(default_factory=asyncio.Queue)
    notes: "asyncio.Queue[SessionNote]" = field(default_factory=asyncio.Queue)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    bundles_asked: int = 0

    async def listen(self) -> None:
        self.may_answer.set()
        await self.bus.subscribe(subjects.BUNDLES, self._bundle)
        await self.bus.subscribe(subjects.ASKS, self._ask)
        await self.bus.subscribe(subjects.REPORTS, self._report)
        await self.bus.subscribe(subjects.NOTES, self._note)

    def public_key_file(self, folder: Path) -> Path:
        path = folder / "centre.pem"
        public = self.key.public_key()
        path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return path

    def bundle(self, *, now_s: float | None = None, **other: Any) -> bytes:
        now_s = wall_s() if now_s is None else now_s
        bundle = Bundle(
            version=str(next(self.numbers)),
            policy_version="p1",
            world=self.world,
            keys=tuple(
                KeyGrant(key_digest(key), f"tenant-{key}", policies)
                for key, policies in self.keys.items()
            ),
            in_service=self.in_service,
            iat=int(now_s),
            exp=int(now_s + self.life_s),
        )
        return sign_bundle(msgspec.structs.replace(bundle, **other), self.key)

    async def _bundle(self, _subject: str, _data: bytes) -> bytes | None:
        self.bundles_asked += 1
        return None if self.silent else self.bundle()

    async def _ask(self, _subject: str, data: bytes) -> bytes | None:
        ask = msgspec.json.decode(data, type=NodeAsk)
        if ask.give_back is not None:
            self.given_back.put_nowait(ask.give_back)
            return msgspec.json.encode(PlaceAnswer(False))
        self.asks.append(ask)
        self.asked.set()
        await self.may_answer.wait()
        answer = None if self.silent else self.answer(ask)
        return None if answer is None else msgspec.json.encode(answer)

    async def _report(self, _subject: str, data: bytes) -> None:
        self.reports.put_nowait(msgspec.json.decode(data, type=CapacityReport))

    async def _note(self, _subject: str, data: bytes) -> None:
        self.notes.put_nowait(msgspec.json.decode(data, type=SessionNote))

    async def report(self, fits: Callable[[CapacityReport], bool]) -> CapacityReport:
        """The next one that fits."""
        async with asyncio.timeout(LIMIT_S):
            while not fits(report := await self.reports.get()):
                pass
        return report

    async def note(self, event: str) -> SessionNote:
        async with asyncio.timeout(LIMIT_S):
            while (note := await self.notes.get()).event != event:
                pass
        return note

    async def reserve(self, node: Any, /, **other: Any) -> tuple[Reserve, Reserved]:
        number = next(self.numbers)
        ask = Reserve(
            reservation=f"r-{number}",
            session=f"s-{number}",
            kind="recognition",
            language="en",
            model=None,
            policy="eu-only",
            policy_version="p1",
            tenant="t",
            ttl_s=10.0,
        )
        ask = msgspec.structs.replace(ask, **other)
        subject = subjects.reserve(node.region, node.name)
        data = await self.bus.request(subject, msgspec.json.encode(ask), LIMIT_S)
        return ask, msgspec.json.decode(data, type=Reserved)

    async def command(self, node: Any, do: str, epoch: int = 1, **of: Any) -> CommandDone:
        command = Command(do, epoch, **of)  # type: ignore[arg-type]
        subject = subjects.command(node.region, node.name)
        data = await self.bus.request(subject, msgspec.json.encode(command), LIMIT_S)
        return msgspec.json.decode(data, type=CommandDone)

    async def news(self) -> None:
        await self.bus.publish(subjects.NEWS, b"{}")

    def ticket(self, node: Any, ask: Reserve, /, **other: Any) -> str:
        now_s = int(wall_s())
        ticket = Ticket(
            session=ask.session,
            reservation=ask.reservation,
            node=node.name,
            boot=node.boot,
            kind=ask.kind,
            language=ask.language,
            model=ask.model,
            policy=ask.policy,
            policy_version=ask.policy_version,
            tenant=ask.tenant,
            decision="d-1",
            iat=now_s,
            exp=now_s + 30,
        )
        return sign_ticket(msgspec.structs.replace(ticket, **other), self.key)

    def placed(self, node: Any, ask: Reserve, /, **other: Any) -> PlaceAnswer:
        """The answer that sends a caller to a node which has promised a seat."""
        return PlaceAnswer(
            True, ask.session, node.name, node.region, node.stream_url,
            self.ticket(node, ask, **other), "d-1",
        )  # fmt: skip


@dataclass
class FleetNode:
    """A running member."""

    node: Node
    url: str

    @property
    def name(self) -> str:
        return self.node.settings.node_id

    @property
    def region(self) -> str:
        assert self.node.settings.region is not None
        return self.node.settings.region

    @property
    def boot(self) -> str:
        assert self.node.member is not None
        return self.node.member.who.boot

    @property
    def stream_url(self) -> str:
        return self.url.replace("http", "ws") + "/v1/stream"

    def call(self, *, key: str | None = None, ticket: str | None = None) -> Any:
        """A WebSocket."""
        shown = f"Bearer {key}" if key else f"Ticket {ticket}" if ticket else None
        headers = {"Authorization": shown} if shown else {}
        return connect(
            self.stream_url,
            additional_headers=headers,
            subprotocols=[Subprotocol("heliovox.v1")],
            compression=None,
            proxy=None,
        )


class Announced:
    """The last service: says that all are ready."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()

    async def run(self, ready: asyncio.Event) -> None:
        ready.set()
        self.ready.set()
        await asyncio.Event().wait()


@asynccontextmanager
async def fleet_node(
    centre: FakeCentre,
    folder: Path,
    *,
    bus: MemoryBus | None = None,
    stores: Mapping[str, MemoryBus] | None = None,
    **settings: Any,
) -> AsyncIterator[FleetNode]:
    """A node with the scripted recogniser, on a bus beside the centre's; stopped at the end.

    With `stores` it keeps content in them; their regions stand where servers' addresses would.
    """
    assert isinstance(centre.bus, MemoryBus)
    line = bus or centre.bus.beside()
    if stores is not None:
        servers = {region: region for region in stores}
        settings |= {
            "content": {"servers": servers, "seed_file": "/none"} | settings.get("content", {})
        }

    async def dial_store(region: str) -> Bus:
        assert stores is not None
        return stores[region].beside()

    given = edge_settings(centre, folder, **settings)
    node = Node(given, lambda _: _dial(line), lambda _: dial_store)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop, announced = asyncio.Event(), Announced()
    door = HttpServer(listener, lambda: door_config(node.open_door()))
    services: list[Service] = [*node.services(url, door, Nothing()), announced]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(run_all(services, stop))
        waiting = group.create_task(announced.ready.wait())
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        try:
            if not running.done():
                yield FleetNode(node, url)
        finally:
            stop.set()
            await asyncio.wait([running])
            await node.tasks.end()


def _dial(line: MemoryBus) -> Any:
    async def dial() -> Bus:
        return line

    return dial


class Nothing:
    """In place of what listens to signals."""

    async def run(self, ready: asyncio.Event) -> None:
        ready.set()
        await asyncio.Event().wait()


def edge_settings(centre: FakeCentre, folder: Path, **other: Any) -> EdgeSettings:
    folder.mkdir(parents=True, exist_ok=True)
    given: dict[str, Any] = {
        "node_id": "n-1",
        "region": "eu-central",
        "recogniser": "scripted",
        "state_dir": folder / "state",
        "bus": {"url": "nats://127.0.0.1:1", "seed_file": folder / "seed"},
        "centre": {"public_key_file": centre.public_key_file(folder)},
        "capacity": {"cache_dir": folder / "cache"},
    }
    return EdgeSettings(**(given | other))


@asynccontextmanager
async def memory_centre(**keys: tuple[str, ...]) -> AsyncIterator[FakeCentre]:
    """A centre on a bus in memory that keeps notes; keys are named with their policies."""
    bus = MemoryBus()
    await bus.ensure_stream(Stream("NOTES", 1 << 24, (subjects.NOTES,)))
    centre = FakeCentre(bus, keys)
    await centre.listen()
    try:
        yield centre
    finally:
        await bus.close()


async def until(condition: Callable[[], object]) -> None:
    """Looks now and then, for what nobody tells."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def heard(call: ClientConnection) -> list[Any]:
    """All messages until the connection closes."""
    found: list[Any] = []
    try:
        async with asyncio.timeout(LIMIT_S):
            while True:
                message = await call.recv()
                found.append(json.loads(message) if isinstance(message, str) else message)
    except ConnectionClosed:
        return found


async def opened(call: ClientConnection, **fields: Any) -> dict[str, Any]:
    """Says `start`; the first answer."""
    await call.send(json.dumps({"type": "start", **fields}))
    async with asyncio.timeout(LIMIT_S):
        answer: dict[str, Any] = json.loads(await call.recv())
    return answer


async def spoken_words(call: ClientConnection, text: str) -> list[str]:
    """Says a text and finishes; the words of the finals."""
    await call.send(spoken(text))
    await call.send(FINISH)
    return words(await heard(call))
