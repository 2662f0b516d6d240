"""The operators' page names every setting and every metric, and no others."""

import re
from pathlib import Path
from unittest.mock import MagicMock

from edge_node.readings import (
    connection_readings,
    device_readings,
    member_readings,
    recovery_readings,
    session_readings,
)
from edge_node.settings import (
    BatchSettings,
    BusSettings,
    CapacitySettings,
    CentreSettings,
    ConnectionSettings,
    ContentSettings,
    EdgeSettings,
    LedgerSettings,
    RecoverySettings,
    SessionSettings,
)

PAGE = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()
METRICS = PAGE.split("| metric |")[1].split("\n\n")[0]
TABLE = PAGE.split("| setting |")[1].split("\n\n")[0]


def test_every_setting_is_on_the_page_and_every_name_on_the_page_is_a_setting() -> None:
    named = {
        name
        for row in TABLE.splitlines()[2:]
        for name in re.findall(r"`([a-z0-9_.]+)`", row.split("|")[1])
    }
    sections = {
        "batch": BatchSettings,
        "bus": BusSettings,
        "capacity": CapacitySettings,
        "centre": CentreSettings,
        "connections": ConnectionSettings,
        "ledger": LedgerSettings,
        "content": ContentSettings,
        "sessions": SessionSettings,
        "recovery": RecoverySettings,
    }
    real = {name for name in EdgeSettings.model_fields if name not in sections}
    for section, kind in sections.items():
        real |= {f"{section}.{name}" for name in kind.model_fields}
    assert named == real


def test_every_metric_is_on_the_page_and_every_metric_on_the_page_is_one() -> None:
    rows = METRICS.splitlines()[2:]
    named = [name for row in rows for name in re.findall(r"`([a-z0-9_]+)`", row.split("|")[1])]
    full = [name if name.startswith("heliovox") else f"heliovox_edge{name}" for name in named]
    parts = [MagicMock() for _ in range(8)]
    readings = [
        *connection_readings(parts[0]),
        *session_readings(parts[1], parts[2], parts[3]),
        *device_readings(parts[4]),
        *member_readings(parts[5]),
        *recovery_readings(parts[6], parts[7]),
    ]
    real = [f"{one.name}_total" if one.counter else one.name for one in readings]
    assert sorted(full) == sorted(real)


def test_defaults_on_the_page_are_the_defaults() -> None:
    settings = EdgeSettings()
    for name in ("max_streams", "max_speeches", "max_text_characters"):
        assert f"| `{name}` | {getattr(settings, name)} |" in TABLE
    assert f"| `drain_s` | {settings.drain_s:g} |" in TABLE
    assert f"| `batch.max_wait_ms` | {settings.batch.max_wait_ms:g} |" in TABLE
    assert f"| `batch.max_streams` | {settings.batch.max_streams} |" in TABLE
    assert f"| `max_relays` | {settings.max_relays} |" in TABLE
    assert f"| `capacity.share` | {settings.capacity.share:g} |" in TABLE
    assert f"| `capacity.step_p95_ms` | {settings.capacity.step_p95_ms:g} |" in TABLE
    for name, value in settings.connections:
        assert f"| `connections.{name}` | {value:g} |" in TABLE
    for name, value in settings.recovery:
        assert f"| `recovery.{name}` | {value:g} |" in TABLE
    for name, value in settings.sessions:
        assert f"| `sessions.{name}` | {value:g} |" in TABLE
