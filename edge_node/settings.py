"""What an operator may set: frozen, strict about names, a unit in each, the trade-off below it."""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from platformdirs import user_state_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from edge_node.protocols.liveness import LivenessLimits
from edge_node.protocols.registry import ConnectionLimits
from shared.telemetry import LogFormat

ENV_PREFIX = "HELIOVOX_EDGE_"


class SettingsRefused(ValueError):
    """Settings that name something unknown, or a value out of range."""


def host_name() -> str:
    """This machine's name, in the letters a node id may have."""
    name = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().split(".")[0].lower()).strip("-")
    return name[:63] or "node"


class Section(BaseModel):
    """What all sections share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class BatchSettings(Section):
    """How chunks of several streams share a call of the recogniser."""

    max_streams: PositiveInt = 32
    """Streams in one model call. More of them use the device better; each waits longer for it."""
    max_wait_ms: float = Field(default=40.0, ge=0, le=50)
    """How long a ready chunk waits for company. Adds at most this to a result; the longer, the
    larger the batches and the cheaper each stream."""


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
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"
    connections: ConnectionSettings = ConnectionSettings()
    sessions: SessionSettings = SessionSettings()
    batch: BatchSettings = BatchSettings()

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
    """The node's settings.

    Args:
        file: YAML, or None.
        given: from the command line; stands above all.
        environment: checked for names that are not settings; pydantic reads the values itself.

    Raises:
        SettingsRefused: names the setting, its value and what is allowed.
    """
    _check_names(environment)
    from_file = {} if file is None else _read_yaml(file)

    class Layered(EdgeSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            _ = dotenv_settings, file_secret_settings
            return init_settings, env_settings, InitSettingsSource(settings_cls, from_file)

    try:
        return Layered(**given)
    except (ValidationError, SettingsError) as error:
        raise SettingsRefused(_explain(error)) from error


def _check_names(environment: Mapping[str, str]) -> None:
    """A misspelt variable would otherwise be ignored without a word."""
    for name in environment:
        if not name.startswith(ENV_PREFIX):
            continue
        top = name.removeprefix(ENV_PREFIX).split("__")[0].lower()
        if top not in EdgeSettings.model_fields:
            known = ", ".join(EdgeSettings.model_fields)
            raise SettingsRefused(f"{name}: unknown setting; known are {known}")


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsRefused(f"{file}: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsRefused(f"{file}: a mapping of settings is expected")
    return {str(name): value for name, value in content.items()}


def _explain(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error)
    return "; ".join(
        f"{'.'.join(str(part) for part in each['loc']) or 'settings'}="
        f"{each['input']!r:.100}: {each['msg']}"
        for each in error.errors(include_url=False)
    )
