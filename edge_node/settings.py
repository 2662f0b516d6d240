"""What an operator may set: frozen, strict about names, a unit in each, the trade-off below it."""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from platformdirs import user_cache_path, user_state_path
from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    SettingsConfigDict,
)

from edge_node.protocols.liveness import LivenessLimits
from edge_node.protocols.moderation import GatherRules
from edge_node.protocols.registry import ConnectionLimits
from edge_node.recovery.parking import ParkingRules
from heliovox.client.address import stream_url
from shared.capacity import Tier
from shared.settings import Section, load_settings
from shared.subjects import CENTRE, token
from shared.telemetry import LogFormat

ENV_PREFIX = "HELIOVOX_EDGE_"


def host_name() -> str:
    """This machine's name, in the letters a node id may have."""
    name = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().split(".")[0].lower()).strip("-")
    return name[:63] or "node"


class ConnectionSettings(Section):
    """How many connections, and for how long without a word."""

    max_connections: PositiveInt = 4096
    """Open connections, streams included. Each takes a file descriptor and some 10 kB; the limit on
    open files, halved, caps it."""
    request_s: PositiveFloat = 10.0
    """For a complete HTTP request. Longer forgives worse links, and holds more silent peers."""
    goodbye_s: PositiveFloat = 5.0
    """How long a caller may take to answer a close, before the connection is cut."""
    ping_s: PositiveFloat = 20.0
    """Silence after which a caller is asked whether he is there; after as much again he is not."""
    unread_s: PositiveFloat = 30.0
    """How long a caller may leave unread what he is sent. Longer keeps more of it in memory."""
    gather_ms: float = Field(default=20.0, ge=0, le=50)
    """How long audio may wait in its socket for that of other streams, where there is much of it.
    Adds at most this to a result; 0 reads every packet as it comes, which costs more of the CPU."""

    @property
    def gather(self) -> GatherRules:
        """The same, for live audio."""
        return GatherRules(longest_s=self.gather_ms / 1000)

    @property
    def liveness(self) -> LivenessLimits:
        """The same, for live streams."""
        return LivenessLimits(ping_s=self.ping_s, dead_s=self.ping_s, unread_s=self.unread_s)

    def limits(self, open_files: int) -> ConnectionLimits:
        """The limits that hold where a process may have `open_files` files."""
        connections = max(64, min(self.max_connections, open_files // 2))
        return ConnectionLimits(
            connections=connections,
            reserved=min(64, connections // 8),
            request_s=self.request_s,
            unread_s=self.unread_s,
            goodbye_s=self.goodbye_s,
        )


class SessionSettings(Section):
    """How much of anything one session may hold, and how long it may be silent."""

    backlog_s: float = Field(default=4.0, ge=1.0)
    """Audio waiting for the recogniser before the node stops reading. Every session may hold so
    much; less of it slows down whoever sends faster than real time."""
    start_s: PositiveFloat = 10.0
    """From the connection to `start`. Longer forgives slow callers, and holds more silent ones."""
    silent_s: PositiveFloat = 300.0
    """A session that says nothing at all for so long is taken for gone, and its seat given away."""


class RecoverySettings(Section):
    """Sessions that go on after their connection is lost."""

    s: float = Field(default=120.0, ge=0)
    """How long one waits for its caller. Longer brings back more of them, and keeps more in memory;
    0 lets every session end with its connection."""
    park_after_s: float = Field(default=2.0, ge=0)
    """How long its seat is kept free meanwhile. Longer, and seats stay empty after calls that do
    not come back; shorter, and who comes back at once may find the node full."""
    most: PositiveInt = 4096
    """Sessions that wait at one time, some kilobytes each. Beyond it the longest wait is over."""

    @property
    def rules(self) -> ParkingRules:
        """The same, for sessions without a connection."""
        return ParkingRules(self.s, self.park_after_s, self.most)


class BatchSettings(Section):
    """How chunks of several streams share a call of the recogniser."""

    max_streams: PositiveInt = 32
    """Streams in one model call. More of them use the device better; each waits longer for it."""
    max_wait_ms: float = Field(default=60.0, ge=0, le=100)
    """How long a ready chunk waits for company. Adds at most this to a result; the longer, the
    larger the batches and the cheaper each stream."""


class CapacitySettings(Section):
    """How many sessions fit. Only nodes of a fleet measure it."""

    calibrate: bool = True
    """Whether the node measures itself before it is ready (about 3 s, at most some 5, once for
    a model and a device); without, `max_streams` is all that it knows."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Of the machine, where several nodes share one: each takes its part of what it measures."""
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("heliovox") / "capacity")
    """Where measurements are kept. Nodes of one machine share it, and measure in turn."""
    step_p95_ms: PositiveFloat = 80.0
    """How long a step of the recogniser may take in 95 of 100 cases. Longer fits more streams, and
    makes the words of each of them later."""


class BusSettings(Section):
    """The region's NATS server."""

    url: str | None = None
    """`nats://host:port`."""
    seed_file: Path | None = None
    """The node's nkey seed, readable by its owner alone."""


class CentreSettings(Section):
    """Whose word counts."""

    public_key_file: Path | None = None
    """The control plane's Ed25519 public key (PEM): tickets and bundles are verified with it."""
    api_url: str | None = None
    """Where callers reach a control plane (`http://` or `https://`), which finds another node for
    those whose own does not answer any more. Without, they must know it themselves."""


class ContentSettings(Section):
    """What is kept of sessions, where their policies say so."""

    servers: dict[str, str] = Field(default_factory=dict)
    """By region that has a store of content, its NATS server: the node's own, and those that its
    sessions' policies keep in. Without any, nothing is kept anywhere."""
    seed_file: Path | None = None
    """The node's nkey seed for all of them; not the one of `bus`."""
    max_waiting_bytes: PositiveInt = 32 << 20
    """Content that may wait in memory for one server that is away. More outlasts longer outages."""
    pseudonym_key_file: Path | None = None
    """The region's key, one for all of its nodes: callers appear in metadata by what it makes of
    their ids. Without it they do not appear."""


class LedgerSettings(Section):
    """What the node writes down of every session, so that others can check it. Only in a fleet."""

    max_bytes: PositiveInt = 8 << 30
    """On disk, some 200 kB for an hour of a session. At the limit what is signed and copied to the
    region's store goes, the oldest first; where nothing is, the ledger counts as full."""
    head_every_s: float = Field(default=10.0, ge=1, le=600)
    """How often the centre is shown how far the ledger is, while it grows. What came after the last
    time is not yet signed; more often makes more of it at the centre, some 700 bytes each."""
    keep_days: PositiveInt = 400
    """For how long the region's store keeps its copy."""


class EdgeSettings(BaseSettings):
    """A node. The environment (HELIOVOX_EDGE_...) outranks the file, the command line both."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__"
    )

    node_id: str = Field(default_factory=host_name, pattern=r"^[a-z0-9-]{1,63}$")
    """What callers and operators read in answers and logs."""
    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 for all. There is no TLS here: put it in front."""
    port: int = Field(default=8300, ge=0, le=65535)
    """0 takes a free one and says which."""
    state_dir: Path = Field(default_factory=lambda: user_state_path("heliovox") / "edge")
    """Keys live here, readable by their owner alone."""
    max_streams: PositiveInt = 64
    """Sessions at one time. More than the device can step in real time makes all of them late."""
    max_speeches: PositiveInt = 8
    """Answers of POST /v1/speech at one time; each holds some clauses of audio."""
    max_text_characters: PositiveInt = 5000
    """In one text to speak. A longer one occupies a voice for minutes."""
    models_dir: Path | None = None
    """Where pulled models are; None is where `heliovox models pull` puts them."""
    recogniser: str = "stt-en-telephone"
    """A model of the catalogue (`heliovox models list`), or the absolute path of a model's folder;
    `scripted` is for tests of the node."""
    engine: Literal["onnx", "sherpa"] = "onnx"
    """What runs the recogniser. sherpa cannot save a stream; onnx batches features too."""
    variant: Literal["fp32", "int8"] = "fp32"
    """int8 halves the work on a CPU; fp32 is what a GPU likes."""
    provider: Literal["cpu", "cuda"] = "cpu"
    """The device. Asked for and absent, the node does not start."""
    voice_gate: bool = True
    """Whether words are left out at which a voice activity model hears nobody. Without it music and
    machines bring in a word or two a minute; with it a second of speech costs a little more."""
    speech: Literal["embedded", "none"] = "embedded"
    """Whether the node speaks. Voices take some 100 MB of memory and a thread."""
    drain_s: float = Field(default=30.0, ge=0)
    """How long live sessions may go on after SIGTERM. Longer is kinder, and delays every update."""
    region: str | None = None
    """Where the node stands, as `regions.yaml` names it: makes it a member of a fleet. Without, it
    admits by its own keys file and speaks to nobody."""
    public_url: str | None = None
    """Where callers and other nodes reach it; None is the address that it listens on."""
    tier: Tier = "hot"
    """What the plan counts the node as."""
    max_relays: int = Field(default=16, ge=0)
    """Callers that the node passes on to another one at one time, as they cannot be redirected."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"
    connections: ConnectionSettings = ConnectionSettings()
    sessions: SessionSettings = SessionSettings()
    recovery: RecoverySettings = RecoverySettings()
    batch: BatchSettings = BatchSettings()
    capacity: CapacitySettings = CapacitySettings()
    bus: BusSettings = BusSettings()
    centre: CentreSettings = CentreSettings()
    ledger: LedgerSettings = LedgerSettings()
    content: ContentSettings = ContentSettings()

    @model_validator(mode="after")
    def _a_member_knows_its_fleet(self) -> Self:
        if self.region is None:
            return self
        if self.region == CENTRE:
            raise ValueError(f"region={self.region}: no region may be called so")
        token(self.region)
        token(self.node_id)
        given = {
            "bus.url": self.bus.url,
            "bus.seed_file": self.bus.seed_file,
            "centre.public_key_file": self.centre.public_key_file,
        }
        if missing := [name for name, value in given.items() if value is None]:
            raise ValueError(f"region={self.region} needs {', '.join(missing)} as well")
        if self.public_url is not None:
            stream_url(self.public_url)
        return self

    @model_validator(mode="after")
    def _content_is_a_members(self) -> Self:
        content = self.content
        for region in content.servers:
            token(region)
        if bool(content.servers) != (content.seed_file is not None):
            raise ValueError("content.servers and content.seed_file go together")
        if self.region is None and (content.servers or content.pseudonym_key_file):
            raise ValueError("content needs region as well: a node of no fleet keeps nothing")
        return self

    @model_validator(mode="after")
    def _streams_fit_connections(self) -> Self:
        if self.max_streams > self.connections.max_connections:
            raise ValueError(
                f"max_streams={self.max_streams} exceeds "
                f"connections.max_connections={self.connections.max_connections}"
            )
        return self


def load(
    file: Path | None, given: Mapping[str, Any], environment: Mapping[str, str]
) -> EdgeSettings:
    """The node's settings: see `shared.settings.load_settings`. Raises SettingsRefused."""
    return load_settings(EdgeSettings, file, given, environment)
