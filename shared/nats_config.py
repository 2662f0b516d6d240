"""Configurations of NATS servers, as text: the centre's (the hub) and one for each region (leaves).

Metadata has one account, and the servers themselves have one. Every region's server has a third,
for content: no link reaches it, so no key of the other two says, hears or stores any. Who may do
what is in `shared.nats_permissions`; content is denied on the links as well, on both ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared import nats_permissions, subjects
from shared.nats_permissions import ALL_CONTENT, Permissions
from shared.nats_text import block, many, quoted, setting

ACCOUNT = "HELIOVOX"
CONTENT = "CONTENT"
"""Of a region's server alone: nothing that is said here leaves it."""
SYSTEM = "SYS"
HUB = "centre"
"""Name and JetStream domain of the centre's server."""
MAX_BYTES = 1 << 20
"""Of one message: what `shared.bus` takes too."""
_CONTROL_LINE = 4096
_WRITE_S = 5
_PINGS = ("10s", 3)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who connects, and the public half of his nkey."""

    name: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Regional:
    """Likewise, in one region."""

    region: str
    name: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everybody who may connect, anywhere."""

    regions: tuple[str, ...]
    nodes: tuple[Regional, ...] = ()
    planes: tuple[Identity, ...] = ()
    leaves: tuple[Regional, ...] = ()
    """The regions' servers, as they connect to the centre's."""
    operators: tuple[Identity, ...] = ()
    """See metadata on every server, say nothing."""
    writers: tuple[Regional, ...] = ()
    """Nodes, as they keep content: with another key than the one above."""
    kept_in: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By region of nodes, the other regions in whose stores they may keep content."""
    listeners: tuple[Regional, ...] = ()
    """Hear the content that is kept on their region's server."""
    custodians: tuple[Regional, ...] = ()
    """Make, read and empty the store of content of their region."""
    system: tuple[Identity, ...] = ()
    """Ask the servers about themselves."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths on the server's machine. Whoever connects to a port with TLS needs a certificate."""

    cert_file: str
    key_file: str
    ca_file: str


@dataclass(frozen=True, slots=True)
class Server:
    """One server and where it stands."""

    store_dir: str
    host: str = "127.0.0.1"
    port: int = -1
    """-1: a free one, which the server says in its log and in its ports file."""
    leaf_port: int = -1
    """Of the hub: where leaves connect to."""
    monitor_port: int | None = None
    """HTTP without any authorisation: None for none."""
    max_store_bytes: int = 1 << 30
    max_content_bytes: int = 1 << 29
    """Of those, what a region's server keeps for content: where that is full, the rest is still
    there for metadata, and the other way round."""
    max_memory_bytes: int = 64 << 20
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Uplink:
    """How a leaf finds the hub."""

    url: str
    """`nats-leaf://host:port`, or `tls://host:port`."""
    secret_file: str
    """Beside the configuration: what `leaf_secret` made. The seed stands nowhere else."""
    tls: Tls | None = None


def hub_config(fleet: Fleet, server: Server) -> str:
    """The centre's server: control planes connect to it, and the regions' servers."""
    node_names = {region: _names(fleet.nodes, region) for region in fleet.regions}
    planes = [plane.name for plane in fleet.planes]
    users = [
        *(_user(p.public_key, nats_permissions.plane(p.name)) for p in fleet.planes),
        *(_user(o.public_key, nats_permissions.operator(o.name)) for o in fleet.operators),
        *(
            _user(
                link.public_key,
                nats_permissions.leaf(link.region, node_names[link.region], planes),
                kind="LEAFNODE",
            )
            for link in fleet.leaves
        ),
    ]
    links = [
        setting("host", server.host),
        setting("port", server.leaf_port),
        setting("no_advertise", value=True),
        *_tls(server.tls),
    ]
    accounts = _account(ACCOUNT, users, server.max_store_bytes, server.max_memory_bytes)
    return _config(HUB, server, accounts, fleet.system, block("leafnodes", links))


def leaf_config(fleet: Fleet, region: str, server: Server, uplink: Uplink) -> str:
    """A region's server: its nodes connect to it, and it to the centre's."""
    users = [
        *(
            _user(node.public_key, nats_permissions.node(region, node.name))
            for node in fleet.nodes
            if node.region == region
        ),
        *(_user(o.public_key, nats_permissions.operator(o.name)) for o in fleet.operators),
    ]
    remote = [
        setting("url", uplink.url),
        setting("account", ACCOUNT),
        many("deny_imports", [ALL_CONTENT]),
        many("deny_exports", [ALL_CONTENT]),
        f"include {quoted(uplink.secret_file)}",
        *_tls(uplink.tls),
    ]
    links = [
        setting("no_advertise", value=True),
        setting("reconnect", "250ms"),
        *block("remotes", block("", remote), brackets="[]"),
    ]
    content_bytes, half = server.max_content_bytes, server.max_memory_bytes // 2
    accounts = [
        *_account(ACCOUNT, users, server.max_store_bytes - content_bytes, half),
        *_account(CONTENT, _content_users(fleet, region), content_bytes, half),
    ]
    name = subjects.token(region)
    return _config(name, server, accounts, fleet.system, block("leafnodes", links))


def leaf_secret(seed: str) -> str:
    """What a leaf's configuration includes: a file of its own, that only the server may read."""
    return f"nkey: {quoted(seed)}\n"


def _content_users(fleet: Fleet, region: str) -> list[list[str]]:
    """Of one region's server. Nodes of other regions say what they keep, and hear nothing."""
    nobody: frozenset[str] = frozenset()
    return [
        *(
            _user(one.public_key, nats_permissions.writer(one.region, one.name))
            for one in fleet.writers
            if one.region == region or region in fleet.kept_in.get(one.region, nobody)
        ),
        *(
            _user(one.public_key, nats_permissions.listener(one.name))
            for one in fleet.listeners
            if one.region == region
        ),
        *(
            _user(one.public_key, nats_permissions.custodian(one.name))
            for one in fleet.custodians
            if one.region == region
        ),
    ]


def _account(
    name: str, users: Iterable[Sequence[str]], store_bytes: int, memory_bytes: int
) -> list[str]:
    limits = [setting("max_file", store_bytes), setting("max_mem", memory_bytes)]
    return block(name, [*block("jetstream", limits), *_users(users)])


def _config(
    name: str,
    server: Server,
    accounts: Sequence[str],
    system: Iterable[Identity],
    links: Sequence[str],
) -> str:
    store = [
        setting("store_dir", server.store_dir),
        setting("domain", name),
        setting("max_file_store", server.max_store_bytes),
        setting("max_memory_store", server.max_memory_bytes),
    ]
    lines = [
        setting("server_name", name),
        setting("host", server.host),
        setting("port", server.port),
        *([] if server.monitor_port is None else [setting("http_port", server.monitor_port)]),
        setting("max_payload", MAX_BYTES),
        setting("max_control_line", _CONTROL_LINE),
        setting("write_deadline", f"{_WRITE_S}s"),
        setting("ping_interval", _PINGS[0]),
        setting("ping_max", _PINGS[1]),
        *_tls(server.tls),
        *block("jetstream", store),
        *block(
            "accounts",
            [
                *accounts,
                *block(SYSTEM, _users(_nkey(one.public_key, []) for one in system)),
            ],
        ),
        setting("system_account", SYSTEM),
        *links,
    ]
    return "\n".join(lines) + "\n"


def _users(users: Iterable[Sequence[str]]) -> list[str]:
    return block("users", [line for user in users for line in user], brackets="[]")


def _user(public_key: str, permissions: Permissions, *, kind: str = "STANDARD") -> list[str]:
    publish = [
        many("allow", permissions.publish_allow),
        *([many("deny", permissions.publish_deny)] if permissions.publish_deny else []),
    ]
    if not permissions.publish_allow:
        publish = [many("deny", [">"])]  # an empty `allow` would allow everything
    subscribe = [
        many("allow", permissions.subscribe_allow),
        *([many("deny", permissions.subscribe_deny)] if permissions.subscribe_deny else []),
    ]
    rules = [
        *block("publish", publish),
        *block("subscribe", subscribe),
        *(['allow_responses: { max: 1, expires: "60s" }'] if permissions.responses else []),
    ]
    return _nkey(
        public_key,
        [many("allowed_connection_types", [kind]), *block("permissions", rules)],
    )


def _nkey(public_key: str, rest: Sequence[str]) -> list[str]:
    return block("", [setting("nkey", public_key), *rest])


def _tls(tls: Tls | None) -> list[str]:
    if tls is None:
        return []
    return block(
        "tls",
        [
            setting("cert_file", tls.cert_file),
            setting("key_file", tls.key_file),
            setting("ca_file", tls.ca_file),
            setting("verify", value=True),
        ],
    )


def _names(nodes: Iterable[Regional], region: str) -> list[str]:
    return [node.name for node in nodes if node.region == region]
