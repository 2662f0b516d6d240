"""The message buses of a world on this machine: the centre's server, and one for each region."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from heliovox.local.nats_process import NatsServer, nats_server_binary
from shared.bus.nats_bus import NatsBus
from shared.content.custody import custodian_of
from shared.content.stream import content_stream
from shared.credentials import ensure_seed
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
from shared.nats_permissions import inbox

OPERATOR = "operator"
STORE_BYTES = 16 << 30
"""What streams may grow to at most; a local world stays far below it."""
CONTENT_BYTES = 8 << 30
"""Of those, what a region's server keeps for content."""


class NatsWorld:
    """One hub and its leaves, with an identity for everybody who may connect.

    Args:
        folder: for configurations, stores, seeds.
        nodes: the names of the nodes by region.
        planes: the names of the control planes.
        logs: a file for each server.
        kept_in: by region of nodes, the others in whose stores they may keep content.
    """

    def __init__(
        self,
        folder: Path,
        nodes: Mapping[str, Sequence[str]],
        planes: Sequence[str],
        logs: Path,
        kept_in: Mapping[str, frozenset[str]],
    ) -> None:
        self._folder, self._nodes, self._planes = folder, nodes, planes
        self._kept_in = kept_in
        binary = nats_server_binary()
        self.hub, *leaves = (
            NatsServer(name, folder / name, binary, logs / f"bus-{name}.log")
            for name in (HUB, *nodes)
        )
        self._leaves = dict(zip(nodes, leaves, strict=True))

    @property
    def servers(self) -> list[NatsServer]:
        """All of them, the hub first."""
        return [self.hub, *self._leaves.values()]

    @property
    def operator_seed_file(self) -> Path:
        """Of whoever looks into the servers: sees metadata, says nothing."""
        return self._seed_file(OPERATOR)

    def leaf(self, region: str) -> NatsServer:
        """The region's server."""
        return self._leaves[region]

    def writer_seed_file(self, region: str, node: str) -> Path:
        """The key with which a node keeps content, in its own region and in others."""
        return self._seed_file(f"content-{region}-{node}")

    def custodian_seed_file(self, region: str) -> Path:
        """The key of whoever reads and deletes the content that a region keeps."""
        return self._seed_file(custodian_of(region))

    def listener_seed_file(self, region: str) -> Path:
        """The key of whoever works on the content that a region keeps, as it comes in."""
        return self._seed_file(f"listener-{region}")

    def node_seed_file(self, region: str, node: str) -> Path:
        """The key of a node to its region's server."""
        return self._seed_file(f"node-{region}-{node}")

    def plane_seed_file(self, plane: str) -> Path:
        """The key of a control plane to the centre's server."""
        return self._seed_file(f"plane-{plane}")

    async def start(self) -> None:
        """The hub, then all leaves at once. Raises NatsFailed, OSError, BusFailed."""
        fleet = self._fleet()
        await self.hub.start(
            hub_config(fleet, Server(str(self.hub.folder / "store"), max_store_bytes=STORE_BYTES))
        )
        async with asyncio.TaskGroup() as group:
            for region in self._nodes:
                group.create_task(self._start_leaf(fleet, region), name=f"bus {region}")

    async def start_hub_again(self) -> None:
        """The hub, after its end, at the addresses that it had. Raises NatsFailed."""
        store = Server(str(self.hub.folder / "store"), max_store_bytes=STORE_BYTES)
        again = replace(store, port=self.hub.port, leaf_port=self.hub.leaf_port)
        await self.hub.start(hub_config(self._fleet(), again))

    async def stop(self) -> None:
        """Leaves, then the hub."""
        await asyncio.gather(*(leaf.stop() for leaf in self._leaves.values()))
        await self.hub.stop()

    async def _start_leaf(self, fleet: Fleet, region: str) -> None:
        server = self._leaves[region]
        seed = ensure_seed(self._seed_file(f"leaf-{region}"))
        write_private(server.folder / "leaf.conf", leaf_secret(seed.reveal()).encode())
        uplink = Uplink(self.hub.leaf_url, "leaf.conf")
        await server.start(
            leaf_config(
                fleet,
                region,
                Server(
                    str(server.folder / "store"),
                    max_store_bytes=STORE_BYTES,
                    max_content_bytes=CONTENT_BYTES,
                ),
                uplink,
            )
        )
        await self._make_store(region)

    async def _make_store(self, region: str) -> None:
        name = custodian_of(region)
        bus = await NatsBus.connect(
            self._leaves[region].url,
            self.custodian_seed_file(region),
            name=name,
            inbox_prefix=inbox(name),
        )
        try:
            await bus.ensure_stream(content_stream(CONTENT_BYTES))
        finally:
            await bus.close()

    def _fleet(self) -> Fleet:
        return Fleet(
            regions=tuple(self._nodes),
            nodes=tuple(
                Regional(region, node, self._public(self.node_seed_file(region, node)))
                for region, nodes in self._nodes.items()
                for node in nodes
            ),
            planes=tuple(
                Identity(plane, self._public(self.plane_seed_file(plane))) for plane in self._planes
            ),
            leaves=tuple(
                Regional(region, region, self._public(self._seed_file(f"leaf-{region}")))
                for region in self._nodes
            ),
            operators=(Identity(OPERATOR, self._public(self.operator_seed_file)),),
            writers=tuple(
                Regional(region, node, self._public(self.writer_seed_file(region, node)))
                for region, nodes in self._nodes.items()
                for node in nodes
            ),
            kept_in=self._kept_in,
            listeners=tuple(
                Regional(
                    region, f"listener-{region}", self._public(self.listener_seed_file(region))
                )
                for region in self._nodes
            ),
            custodians=tuple(
                Regional(
                    region, custodian_of(region), self._public(self.custodian_seed_file(region))
                )
                for region in self._nodes
            ),
        )

    def _seed_file(self, name: str) -> Path:
        return self._folder / "seeds" / f"{name}.seed"

    def _public(self, seed_file: Path) -> str:
        return ensure_seed(seed_file).public_key
