"""One node as it really is, whatever the centre knows of it."""

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass
class Actor:
    """One node as it really is."""

    name: str
    region: str
    limit: int
    does: tuple[str, ...]
    languages: tuple[str, ...]
    models: tuple[str, ...]
    voices: tuple[str, ...]
    starts: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    """The last report's of each boot."""
    held: dict[str, int] = field(default_factory=dict)
    reserved: int = 0
    step_ms: float = 5.0
    queue: int = 0
    tier: str = "hot"
    up: bool = True
    draining: bool = False
    healthy: bool = True
    faults: int = 0
    """Of the present boot."""
    twin: bool = False
    """An earlier boot still runs beside the present one."""
    due_s: float = 0.0
    """When it reports next."""

    @property
    def boot(self) -> str:
        """Of the present start."""
        return f"b{self.starts:03}"

    @property
    def free(self) -> int:
        """Seats."""
        return max(0, self.limit - sum(self.held.values()) - self.reserved)

    def report(self, *, goodbye: bool = False, boot: str | None = None, ago: int = 0) -> Event:
        """What it says of itself; `ago` reports late."""
        boot = boot or self.boot
        number = self.numbers.get(boot, 0) + 1 - ago
        if not ago:
            self.numbers[boot] = number
        free = self.free
        rooms = {
            kind: {"held": self.held.get(kind, 0), "fits": free * (1 + (kind == "synthesis"))}
            for kind in self.does
        }
        return {
            "node": self.name, "region": self.region, "boot": boot, "seq": max(0, number),
            "at_ms": 0, "url": f"wss://{self.name}.example/v1/stream", "version": "1",
            "kinds": rooms, "limit": self.limit, "reserved": self.reserved,
            "languages": self.languages, "models": self.models, "voices": self.voices,
            "step_p50_ms": self.step_ms / 2, "step_p95_ms": self.step_ms, "queue": self.queue,
            "tier": self.tier, "draining": self.draining, "healthy": self.healthy,
            "goodbye": goodbye, "faults": self.faults,
        }  # fmt: skip

    def reserve(self, kind: str) -> tuple[str, int]:
        """Answers the centre: (`granted`, `silent` or a refusal's code; seats taken by now)."""
        if not self.up:
            return "silent", 0
        if self.draining:
            return "node_draining", 0
        if self.free <= 0 or kind not in self.does:
            return "node_full", 0
        self.reserved += 1
        return "granted", sum(self.held.values()) + self.reserved
