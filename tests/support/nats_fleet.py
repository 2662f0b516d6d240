"""A hub and two leaves as `shared.nats_config` has them, and everybody who may connect."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from heliovox.local.nats_process import NatsServer, nats_server_binary
from shared.bus import Source, Stream
from shared.bus.nats_bus import NatsBus
from shared.credentials import ensure_seed
from shared.errors import BusFailed
from shared.files import write_private
from shared.nats_config import (
    HUB,
    Fleet,
    Identity,
    Regional,
    Server,
    Uplink,
    hub_config,
    leaf_config,
    leaf_secret,
)
from shared.nats_permissions import writer_inbox
from tests.support.proxy import Proxy, proxy_to

NODES = {"eu-central": ("c-1", "c-2"), "eu-west": ("w-1",)}
PLANES = ("p-1", "p-2")
KEPT_IN = {"eu-central": frozenset({"eu-west"})}
"""What nodes of eu-central keep may lie in eu-west as well, and not the other way round."""
WAIT_S = 90.0
"""For what must come."""
MIB = 1 << 20


class NatsFleet:
    """Servers that run, the links between them through proxies."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder, self._stack = folder, stack
        binary = nats_server_binary()
        self.servers = {
            name: NatsServer(name, folder / name, binary) for name in (HUB, *NODES, "stranger")
        }
        self.links: dict[str, Proxy] = {}

    async def start(self) -> None:
        await self.start_hub()
        for region in NODES:
            proxy = proxy_to(self.servers[HUB].leaf_port)
            self.links[region] = await self._stack.enter_async_context(proxy)
            await self.start_leaf(region, region, f"leaf-{region}")

    async def start_hub(self) -> None:
        """Again on the ports that it had before."""
        hub = self.servers[HUB]
        store = str(hub.folder / "store")
        config = hub_config(self._fleet(), Server(store, port=hub.port, leaf_port=hub.leaf_port))
        await hub.start(self._with_master(config))

    async def start_leaf(self, name: str, region: str, seed: str) -> None:
        """A region's server that shows the hub a key."""
        leaf = self.servers[name]
        secret = leaf_secret(ensure_seed(self.seed_file(seed)).reveal())
        write_private(leaf.folder / "leaf.conf", secret.encode())
        link = Uplink(f"nats-leaf://127.0.0.1:{self.links[region].port}", "leaf.conf")
        server = Server(str(leaf.folder / "store"), port=leaf.port)
        await leaf.start(self._with_master(leaf_config(self._fleet(), region, server, link)))

    async def connect(self, who: str, server: str, inbox_prefix: str | None = None) -> NatsBus:
        """Who is one of ours, or anybody: a key is made for him."""
        ensure_seed(self.seed_file(who))
        bus = await NatsBus.connect(
            self.servers[server].url,
            self.seed_file(who),
            name=who,
            inbox_prefix=inbox_prefix or f"_INBOX.{who}",
        )
        self._stack.push_async_callback(bus.close)
        return bus

    async def writer(self, region: str, node: str, server: str) -> NatsBus:
        """A node, as it keeps content."""
        return await self.connect(f"content-{node}", server, writer_inbox(region, node))

    def seed_file(self, who: str) -> Path:
        return self.folder / "seeds" / who

    async def linked(self, plane: NatsBus, *nodes: NatsBus) -> None:
        """Every region's node hears what the plane says to it."""
        for region, node in zip(NODES, nodes, strict=False):
            name = NODES[region][0]
            subject = f"hv.meta.{region}.{name}.command"
            subscription = await node.subscribe(subject, _answer)
            await until(lambda subject=subject: _answers(plane, subject))
            await subscription.end()

    def _public(self, who: str) -> str:
        return ensure_seed(self.seed_file(who)).public_key

    def _fleet(self) -> Fleet:
        return Fleet(
            regions=tuple(NODES),
            nodes=tuple(
                Regional(region, node, self._public(node))
                for region, nodes in NODES.items()
                for node in nodes
            ),
            planes=tuple(Identity(plane, self._public(plane)) for plane in PLANES),
            leaves=tuple(Regional(r, r, self._public(f"leaf-{r}")) for r in NODES),
            operators=(Identity("operator", self._public("operator")),),
            writers=tuple(
                Regional(region, node, self._public(f"content-{node}"))
                for region, nodes in NODES.items()
                for node in nodes
            ),
            kept_in=KEPT_IN,
            custodians=tuple(Regional(r, f"keys-{r}", self._public(f"keys-{r}")) for r in NODES),
            listeners=tuple(Regional(r, f"ear-{r}", self._public(f"ear-{r}")) for r in NODES),
            system=(Identity("system", self._public("system")),),
        )

    def _with_master(self, config: str) -> str:
        """With one more, whom nothing is forbidden: what he does not hear is not there."""
        users = "users: ["
        assert users in config
        return config.replace(users, f"{users} {{ nkey: {self._public('master')} }}", 1)


async def _answer(_: str, data: bytes) -> bytes:
    return data


async def _answers(bus: NatsBus, subject: str) -> bool:
    try:
        return await bus.request(subject, b"x", 1.0) == b"x"
    except BusFailed:
        return False


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Looks again and again; fails after WAIT_S."""
    async with asyncio.timeout(WAIT_S):
        while not await holds():  # noqa: ASYNC110 another process has no event for it
            await asyncio.sleep(0.02)


def notes_of(region: str) -> Stream:
    """As the control plane makes it."""
    return Stream(f"NOTES_{region}", MIB, (f"hv.meta.{region}.*.note",), domain=region)


NOTES = Stream("NOTES", MIB, sources=tuple(Source(f"NOTES_{r}", r) for r in NODES))


@asynccontextmanager
async def nats_fleet(folder: Path) -> AsyncIterator[NatsFleet]:
    """All of it, and none of it left behind."""
    async with AsyncExitStack() as stack:
        fleet = NatsFleet(folder, stack)
        for server in fleet.servers.values():
            stack.push_async_callback(server.stop)
        await fleet.start()
        yield fleet
