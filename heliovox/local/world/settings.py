"""What the processes of a world are told: names, arguments, settings. Pure."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heliovox.local.home import Home

DEFAULT_REGIONS = ("eu-central", "eu-west", "ap-south", "sa-east")
PLANE = "centre"
DRAIN_S = 2.0
"""How long live sessions may go on once the world is taken down."""
_OURS = ("HELIOVOX_EDGE_", "HELIOVOX_CONTROL_")


@dataclass(frozen=True, slots=True)
class Plan:
    """A world that is wanted."""

    home: Home
    environ: Mapping[str, str]
    name: str = "world"
    regions: tuple[str, ...] = DEFAULT_REGIONS
    """A region that is named twice gets two nodes."""
    port: int = 0
    """Of the control plane; 0 takes a free one."""
    streams_per_node: int | None = None
    """None: as many as each node's own measurement says."""
    regions_file: Path | None = None
    """None for the regions that ship."""
    recogniser: str | None = None
    """None for the one that ships; `scripted` for tests."""
    log_level: str = "info"
    """Of the control plane and the nodes."""
    public_urls: Mapping[str, str] = field(default_factory=dict)
    """Where callers reach nodes, by name, for those that stand behind something."""

    @property
    def nodes(self) -> tuple[tuple[str, str], ...]:
        """Name and region of every node."""
        seen: Counter[str] = Counter()
        named = []
        for region in self.regions:
            seen[region] += 1
            named.append((f"{region}-{seen[region]}", region))
        return tuple(named)

    def child_environ(self) -> dict[str, str]:
        """What the children inherit: no settings for other nodes and control planes."""
        return {name: value for name, value in self.environ.items() if not name.startswith(_OURS)}


@dataclass(frozen=True, slots=True)
class BusAccess:
    """A bus and the key to it."""

    url: str
    seed_file: Path


@dataclass(frozen=True, slots=True)
class ContentAccess:
    """The stores in which a node may keep content, and its keys."""

    servers: Mapping[str, str]
    seed_file: Path
    pseudonym_key_file: Path


@dataclass(frozen=True, slots=True)
class CentreAccess:
    """The control plane, as a node knows it."""

    public_key_file: Path
    api_url: str


def node_settings(
    plan: Plan,
    node: str,
    region: str,
    bus: BusAccess,
    content: ContentAccess,
    centre: CentreAccess,
) -> dict[str, Any]:
    """Of one node, as its settings file has them."""
    settings: dict[str, Any] = {
        "node_id": node,
        "region": region,
        "port": 0,
        "state_dir": str(plan.home.run / "nodes" / node),
        "drain_s": DRAIN_S,
        "log_level": plan.log_level,
        "bus": {"url": bus.url, "seed_file": str(bus.seed_file)},
        "centre": {"public_key_file": str(centre.public_key_file), "api_url": centre.api_url},
        "content": {
            "servers": dict(content.servers),
            "seed_file": str(content.seed_file),
            "pseudonym_key_file": str(content.pseudonym_key_file),
        },
        "capacity": {
            "share": round(1 / len(plan.regions), 4),
            "cache_dir": str(plan.home.cache),
            "calibrate": plan.streams_per_node is None,
        },
    }
    if plan.streams_per_node is not None:
        settings["max_streams"] = plan.streams_per_node
    if plan.recogniser is not None:
        settings["recogniser"] = plan.recogniser
    if node in plan.public_urls:
        settings["public_url"] = plan.public_urls[node]
    return settings


def control_settings(plan: Plan, bus: BusAccess) -> dict[str, Any]:
    """Of the control plane."""
    settings: dict[str, Any] = {
        "plane_id": PLANE,
        "port": plan.port,
        "log_level": plan.log_level,
        "state_dir": str(plan.home.run / "control"),
        "fallback_region": plan.regions[0],  # nobody's loopback address says where he is
        "bus": {"url": bus.url, "seed_file": str(bus.seed_file)},
    }
    if plan.regions_file is not None:
        settings["regions_file"] = str(plan.regions_file.absolute())
    return settings


def command(module: str, settings_file: Path) -> Sequence[str]:
    """How a service is run: nothing of it is secret, `ps` shows it to everybody."""
    return (sys.executable, "-m", module, "serve", "--json", "--config", str(settings_file))
