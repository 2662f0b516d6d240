"""What an operator of a control plane may set: a unit in each name, the trade-off below it."""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from platformdirs import user_state_path
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import Section, load_settings
from shared.telemetry import LogFormat

ENV_PREFIX = "HELIOVOX_CONTROL_"


def host_name() -> str:
    """This machine's name, in the letters a plane's id may have."""
    name = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().split(".")[0].lower()).strip("-")
    return name[:32] or "centre"


class BusSettings(Section):
    """Where the centre's message bus is, and who we are there."""

    url: str = "nats://127.0.0.1:4222"
    """Of a server of the centre; several, one after the other, divided by commas."""
    seed_file: Path | None = None
    """The nkey that this control plane proves itself with; readable by its owner alone."""


class WaitingSettings(Section):
    """Callers whose policy waits for a seat."""

    max_waiting: PositiveInt = 512
    """At one time; further ones are refused at once. Each holds a connection and some 10 kB."""
    turn_s: PositiveFloat = 25.0
    """How long a request may wait for its turn in a burst. Longer accepts more of one that is more
    than can be decided at once; our own SDK gives up after 30 s."""
    decide_every_ms: PositiveFloat = 100.0
    """How soon after a change of the fleet they are decided again. Shorter finds a seat sooner, and
    costs a decision for each kind of waiter."""


class ProbeSettings(Section):
    """Whether nodes answer where callers come in, whatever they report."""

    every_s: PositiveFloat = 30.0
    """Between two probes of a node. Shorter finds out sooner, and asks every node oftener."""
    failures: PositiveInt = 3
    """In a row, and a node takes no sessions until one succeeds. Fewer leave a node out for a
    single lost packet."""


class ControlSettings(BaseSettings):
    """A control plane. HELIOVOX_CONTROL_... outranks the file, the command line both."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__"
    )

    plane_id: str = Field(default_factory=host_name, pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """Stands in decisions' ids and in subjects; another one for each control plane of a hub."""
    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 for all. There is no TLS here: put it in front."""
    port: int = Field(default=8400, ge=0, le=65535)
    """0 takes a free one and says which."""
    state_dir: Path = Field(default_factory=lambda: user_state_path("heliovox") / "control")
    """The signing key and the first keys live here, readable by their owner alone."""
    regions_file: Path | None = None
    """Regions, zones and policies; None for those that ship. Watched: a change needs no restart."""
    signing_key_file: Path | None = None
    """Signs tickets and bundles: Ed25519, PEM. None for `signing.pem` in the state folder. Made at
    the first start; control planes side by side share one."""
    ticket_ttl_s: float = Field(default=30.0, gt=0, le=600)
    """How long a seat is held for a caller who has its ticket. Longer forgives slow callers, and
    keeps seats empty for those who never come."""
    bundle_life_s: float = Field(default=86_400.0, ge=120)
    """How long nodes admit callers by themselves with the centre dark. Longer outlives longer
    outages; a key that is revoked meanwhile is good for as long."""
    fallback_region: str | None = None
    """Whose place stands for callers whose own cannot be found; None refuses them."""
    max_sessions: PositiveInt = 100_000
    """Remembered, ended ones included; the oldest that ended go first. Some 1 kB each."""
    max_decisions: PositiveInt = 10_000
    """Remembered by this control plane with everything they were made from."""
    service_grace_s: PositiveFloat = 30.0
    """How long a region without a live node counts as in service. Longer moves fewer callers' home
    regions when nodes restart."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"
    bus: BusSettings = BusSettings()
    waiting: WaitingSettings = WaitingSettings()
    probe: ProbeSettings = ProbeSettings()

    @model_validator(mode="after")
    def _bundle_outlives_ticket(self) -> Self:
        if self.bundle_life_s <= self.ticket_ttl_s:
            raise ValueError(
                f"bundle_life_s={self.bundle_life_s:g} must exceed "
                f"ticket_ttl_s={self.ticket_ttl_s:g}"
            )
        return self

    @property
    def signing_key(self) -> Path:
        """Where the signing key is, or will be."""
        return self.signing_key_file or self.state_dir / "signing.pem"


def load(
    file: Path | None, given: Mapping[str, Any], environment: Mapping[str, str]
) -> ControlSettings:
    """The control plane's settings: see `shared.settings.load_settings`. Raises SettingsRefused."""
    return load_settings(ControlSettings, file, given, environment)
