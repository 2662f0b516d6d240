"""A phrase and a caller's id are spoken under `eu-only`, and looked for everywhere outside.

Whoever stands outside listens to all that he can on every server, and afterwards reads every file,
every stream that he gets at, every log, metrics page and answer. The same search finds both at once
where the policy keeps them outside.
"""

import asyncio
import base64
import gzip
import json
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.client.client import Client
from heliovox.local.home import Home
from heliovox.local.world.settings import PLANE, Plan
from heliovox.local.world.world import LocalWorld, local_world
from heliovox.protocol.messages import Final
from shared import nats_permissions
from shared.bus import Stream
from shared.bus.nats_bus import NatsBus
from shared.content import custody
from shared.content.custody import StoreAddress, custodian_of
from shared.errors import BusRefused
from shared.nats_permissions import ALL_CONTENT, Permissions
from shared.pseudonyms import read_pseudonym_key
from tests.contract.buses import Heard
from tests.support.canary import bytes_of, sightings
from tests.support.nats_fleet import MIB, until
from tests.support.world_process import heliovox

pytestmark = [pytest.mark.process, pytest.mark.anyio]
ROOT = Path(__file__).parents[2]
ZONE, OUTSIDE = ("eu-central", "eu-west"), "sa-east"
PARIS = (48.85, 2.35)
PHRASE, CALLER = "my television prescription", "Zoë Ünal +49 30 7391"
SECRETS = {
    "phrase": PHRASE,
    "one word": "television",
    "another word": "prescription",
    "caller": CALLER,
    "number": "30 7391",
}
POLICIES = """
policies:
  default: {allow: [everywhere]}
  eu-only: {allow: [eu], overflow: {zones: [eu]}, keep: {transcripts: {zones: [eu], days: 1}}}
  # the rule is switched off: served in Europe as before, and kept outside
  anywhere: {allow: [everywhere], prefer: [eu], keep: {transcripts: {zones: [brazil], days: 1}}}
"""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


def world_file(folder: Path) -> Path:
    shipped = (ROOT / "regions.yaml").read_text()
    regions = shipped[shipped.index("regions:") : shipped.index("zones:")]
    path = folder / "regions.yaml"
    path.write_text(f"{regions}zones:\n  eu: [de, ie]\n  brazil: [br]\n{POLICIES}")
    return path


@dataclass
class Outsider:
    """Who has every credential that stands outside the zone, and what he heard with them."""

    world: LocalWorld
    home: Home
    heard: dict[str, Heard] = field(default_factory=dict)
    plane: NatsBus | None = None

    @property
    def servers(self) -> dict[str, str]:
        assert self.world.file is not None
        return {bus.name: bus.url for bus in self.world.file.buses}

    def keys(self) -> dict[str, tuple[str, Permissions, str]]:
        """Seed file, what it permits, inbox: of everybody outside."""
        node = f"{OUTSIDE}-1"
        permissions = {
            "operator": ("operator", nats_permissions.operator("operator")),
            f"plane-{PLANE}": (PLANE, nats_permissions.plane(PLANE)),
            f"node-{OUTSIDE}-{node}": (node, nats_permissions.node(OUTSIDE, node)),
            f"content-{OUTSIDE}-{node}": (node, nats_permissions.writer(OUTSIDE, node)),
            f"listener-{OUTSIDE}": (
                f"listener-{OUTSIDE}",
                nats_permissions.listener(f"listener-{OUTSIDE}"),
            ),
            f"custodian-{OUTSIDE}": (
                custodian_of(OUTSIDE),
                nats_permissions.custodian(custodian_of(OUTSIDE)),
            ),
        }
        return {
            seed: (name, may, nats_permissions.inbox(name))
            for seed, (name, may) in permissions.items()
        }

    async def listen(self, stack: AsyncExitStack) -> None:
        """To everything that anybody may, wherever he is let in."""
        for seed, (name, may, answers) in self.keys().items():
            for server, url in self.servers.items():
                try:
                    bus = await NatsBus.connect(
                        url,
                        self.home.run / "nats" / "seeds" / f"{seed}.seed",
                        name=name,
                        inbox_prefix=answers,
                    )
                except BusRefused:
                    continue
                stack.push_async_callback(bus.close)
                heard = self.heard[f"heard by {seed} on {server}"] = Heard()
                for pattern in may.subscribe_allow:
                    if not pattern.startswith("_INBOX"):
                        await bus.subscribe(pattern, heard)
                if seed.startswith("plane"):
                    self.plane = bus
        assert self.plane is not None
        for domain in ("centre", *ZONE):  # what a stolen key would do
            trap = Stream(f"TRAP_{domain}", MIB, (ALL_CONTENT, "hv.forget.>"), domain=domain)
            await self.plane.ensure_stream(trap)

    # --- afterwards ---

    async def finds(self, sessions: Iterable[str]) -> dict[str, set[str]]:
        """Where he finds which secret."""
        found: dict[str, set[str]] = {}
        async for where, data in self._everything(list(sessions)):
            if seen := sightings(data, SECRETS):
                found.setdefault(where, set()).update(seen)
        return found

    async def _everything(self, sessions: list[str]) -> AsyncIterator[tuple[str, bytes]]:
        for who, heard in self.heard.items():
            for subject, data in heard.all:
                yield who, subject.encode() + b" " + data
        for path in self._files():
            yield f"file {path.relative_to(self.home.folder)}", bytes_of(path)
        async for one in self._streams():
            yield one
        for url in self._pages(sessions):
            yield url, await asyncio.to_thread(self._get, url)

    def _files(self) -> list[Path]:
        """All that lie outside the zone, and every log, wherever it is."""
        files = [path for path in self.home.folder.rglob("*") if path.is_file()]
        return [
            path
            for path in files
            if path.suffix == ".log"
            or not any(region in str(path.relative_to(self.home.folder)) for region in ZONE)
        ]

    async def _streams(self) -> AsyncIterator[tuple[str, bytes]]:
        """Everything that the control plane's key gets out of any server."""
        assert self.plane is not None
        for domain in self.servers:
            answer = await self.plane.request(f"$JS.{domain}.API.STREAM.LIST", b"{}", 5.0)
            for stream in json.loads(answer)["streams"]:
                name, count = stream["config"]["name"], stream["state"]["messages"]
                assert name != "CONTENT"
                read = self.plane.read(name, domain=domain)
                while count > 0:
                    one = await anext(aiter(read))
                    count -= 1
                    yield f"stream {name} of {domain}", one.subject.encode() + b" " + one.data
                await read.aclose()  # type: ignore[attr-defined]
        seed_file = self.home.run / "nats" / "seeds" / f"custodian-{OUTSIDE}.seed"
        address = StoreAddress(OUTSIDE, self.servers[OUTSIDE], str(seed_file))
        async with custody.opened([address]) as (store,):
            async for one in store.bus.read_now("CONTENT"):
                yield f"store of {OUTSIDE}", one.data

    def _pages(self, sessions: list[str]) -> list[str]:
        """Every page that can be asked for; the zone's metrics too: others collect them."""
        assert self.world.file is not None
        control = self.world.file.control
        schema = json.loads(self._get(f"{control}/schema/openapi.json"))
        decisions = [
            row["decision"]
            for row in json.loads(self._get(f"{control}/v1/sessions"))
            if row["decision"]
        ]
        pages = [f"{control}/metrics"]
        for path, how in schema["paths"].items():
            if "get" not in how:
                continue
            ids = {"session_id": sessions, "decision_id": decisions}
            names = [name for name in ids if f"{{{name}}}" in path]
            for value in ids[names[0]] if names else [""]:
                page = f"{control}{path}".replace(f"{{{''.join(names)}}}", value)
                pages += [page, f"{page}?lat=48&lon=2", f"{page}?for=operator"]
                pages += [f"{page}?for=caller", f"{page}?for=compliance"]
        for node in self.world.file.nodes:
            pages += [f"{node.url}/{page}" for page in ("metrics", "readyz", "healthz", "schema")]
        return pages

    def _get(self, url: str) -> bytes:
        assert self.world.file is not None
        key = Path(self.world.file.operator_key_file).read_text().strip()
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            return bytes(error.read())


@asynccontextmanager
async def watched_world(folder: Path) -> AsyncIterator[Outsider]:
    """A world that logs all that it can, and somebody outside who listens from the beginning."""
    home = Home(folder / "home")
    plan = Plan(
        home,
        {"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
        regions=(*ZONE, OUTSIDE),
        streams_per_node=2,
        regions_file=world_file(folder),
        log_level="debug",
    )
    async with local_world(plan, lambda *_: None) as world, AsyncExitStack() as stack:
        outsider = Outsider(world, home)
        await outsider.listen(stack)
        yield outsider


async def speak(world: LocalWorld, policy: str, url: str | None = None) -> tuple[str, str]:
    """Session and text: the phrase is said by our own voice, and heard by our own recogniser."""
    assert world.file is not None
    at = {"url": url} if url else {"control": world.file.control}
    client = Client(key=world.caller_key, proxy=None, **at)
    how = {"policy": policy, "place": PARIS, "caller": CALLER}
    async with client.session("synthesis", **how) as session:
        audio = b"".join([piece async for piece in session.say(PHRASE)])
    async with client.session("recognition", **how) as session:
        await session.send(audio)
        await session.finish()
        texts = [event.text async for event in session if isinstance(event, Final)]
    assert session.started.region in ZONE
    return session.started.session, " ".join(texts)


async def test_what_is_said_under_a_zones_rule_is_nowhere_outside_of_it(tmp_path: Path) -> None:
    async with watched_world(tmp_path) as outsider:
        world = outsider.world
        abroad = world.nodes_by_region[OUTSIDE].url
        spoken = [
            await speak(world, "eu-only"),
            await speak(world, "eu-only", abroad),  # knocks outside, and is sent on
        ]
        sessions = [session for session, _ in spoken]
        assert [text for _, text in spoken] == [PHRASE, PHRASE], "else there is nothing to find"
        await settled(outsider, sessions)
        assert await outsider.finds(sessions) == {}
        node = f"{OUTSIDE}-{OUTSIDE}-1"
        assert set(outsider.heard) == {
            *(f"heard by operator on {server}" for server in outsider.servers),
            f"heard by plane-{PLANE} on centre",
            *(f"heard by {who}-{OUTSIDE} on {OUTSIDE}" for who in ("custodian", "listener")),
            *(f"heard by {who}-{node} on {OUTSIDE}" for who in ("node", "content")),
        }, "wherever an outsider's key opens something"
        for server in outsider.servers:
            await outsider.heard[f"heard by operator on {server}"].wait(1)  # he is not deaf
        for region in ZONE:
            stored = outsider.home.run / "nats" / region / "store"
            seen = set[str]().union(*(sightings(data, SECRETS) for data in contents(stored)))
            assert {"phrase (plain)", "caller (plain)"} <= seen, "in the zone it is kept"
        for node in world.nodes.values():
            assert core_limit(node.child.pid or 0) == "0", "a crash writes no memory to disk"
        # the control: the same words, the same search, and a policy that keeps them outside
        session, text = await speak(world, "anywhere")
        assert text == PHRASE
        await settled(outsider, [session])
        found = await outsider.finds([session])
        everything = {"phrase (plain)", "one word (plain)", "caller (plain)", "number (plain)"}
        assert everything <= found[f"heard by listener-{OUTSIDE} on {OUTSIDE}"]
        assert everything <= found[f"store of {OUTSIDE}"]
        files = {where for where in found if where.startswith("file ")}
        assert files
        assert all(f"nats/{OUTSIDE}/store" in where for where in files)
        assert set(found) - files == {
            f"heard by listener-{OUTSIDE} on {OUTSIDE}",
            f"store of {OUTSIDE}",
        }
        await deleted(outsider, [*sessions, session])


async def deleted(outsider: Outsider, sessions: list[str]) -> None:
    """As an operator does it; then neither is on any disk of the world, zone or not."""
    for session in sessions:
        home = outsider.home.folder
        code, output, errors = await heliovox(home, "content", "delete", session, "--json")
        assert code == 0, errors
        receipt = json.loads(output)
        assert receipt["verified"]
        assert sum(place["before"] for place in receipt["places"]) == (
            2 if session != sessions[-1] else 1
        )
    stores = contents(outsider.home.run / "nats")
    assert set[str]().union(*(sightings(data, SECRETS) for data in stores)) == set()


async def settled(outsider: Outsider, sessions: list[str]) -> None:
    """What was said is kept, its end noted at the centre, and its decisions recorded."""
    assert outsider.world.file is not None
    operator = outsider.world.operator
    addresses = [
        StoreAddress(one.region, one.url, one.seed_file) for one in outsider.world.file.stores
    ]

    async def is_over() -> bool:
        rows = {row.session: row for row in await operator.sessions()}
        return all(one in rows and rows[one].state == "ended" for one in sessions)

    async with custody.opened(addresses) as stores:

        async def is_kept() -> bool:
            kept, _ = await custody.look(stores)
            return set(sessions) <= {one.session for one in kept}

        await until(is_kept)
    await until(is_over)
    for row in await operator.sessions():
        if row.session in sessions:
            key = read_pseudonym_key(outsider.home.run / "pseudonyms" / f"{row.region}.key")
            assert row.caller == key.pseudonym(row.tenant, CALLER), "the centre knows no more"


def contents(folder: Path) -> list[bytes]:
    return [bytes_of(path) for path in folder.rglob("*") if path.is_file()]


def core_limit(pid: int) -> str:
    limits = Path(f"/proc/{pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    return line.split()[4]


WRAPPED: Mapping[str, object] = {
    "plain": lambda text: text.encode(),
    "capitals": lambda text: text.encode().upper(),
    "json": lambda text: json.dumps({"a": text}).encode(),
    "json inside json": lambda text: json.dumps(
        json.dumps({"a": text}, ensure_ascii=False)
    ).encode(),
    "base64": lambda text: base64.b64encode(b"x" + text.encode() + b"yz"),
    "token": lambda text: base64.urlsafe_b64encode(
        json.dumps({"a": text}, ensure_ascii=False).encode()
    ),
    "hex": lambda text: b"0a" + text.encode().hex().encode(),
    "address": lambda text: b"/?caller=" + quote(text).encode(),
    "form": lambda text: urlencode({"caller": text}).encode(),
    "compressed": lambda text: b"head" + zlib.compress(b"batch " + text.encode()) + b"tail",
    "gzip": lambda text: gzip.compress(b"page " + text.encode()),
}


@pytest.mark.parametrize("how", WRAPPED)
@given(
    secret=st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters='"\\'),
        min_size=6,
        max_size=24,
    ),
    before=st.binary(max_size=5),
)
def test_the_search_sees_through(how: str, secret: str, before: bytes) -> None:
    """Whatever stands around it, and nothing where there is nothing."""
    data = before + WRAPPED[how](secret) + before  # type: ignore[operator]
    assert any(one.startswith("it ") for one in sightings(data, {"it": secret})), how
    assert sightings(before * 3, {"it": secret + "#"}) == set()
