"""The page about control planes names every setting, path and metric, and no others."""

import re
from pathlib import Path

from control_plane.api.app import make_app
from control_plane.app import ControlPlane
from control_plane.decisions import MOST_ROWS
from control_plane.settings import BusSettings, ControlSettings, ProbeSettings, WaitingSettings
from control_plane.tenants.changes import MOST_KEYS
from shared.bus.memory import MemoryBus

PAGE = (Path(__file__).parents[3] / "docs" / "control.md").read_text()
SECTIONS = {"bus": BusSettings, "probe": ProbeSettings, "waiting": WaitingSettings}


def table(heading: str) -> list[list[str]]:
    """The cells of the table that begins with a heading."""
    rows = PAGE.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1:-1] for row in rows]


def plane(folder: Path) -> ControlPlane:
    settings = ControlSettings(state_dir=folder)
    return ControlPlane(settings, MemoryBus(), lambda _name, _file: None)


def test_every_setting_is_on_the_page_and_every_name_on_the_page_is_a_setting() -> None:
    named = {name for row in table("setting") for name in re.findall(r"`([a-z_.]+)`", row[0])}
    real = {name for name in ControlSettings.model_fields if name not in SECTIONS}
    for section, kind in SECTIONS.items():
        real |= {f"{section}.{name}" for name in kind.model_fields}
    assert named == real


def test_defaults_on_the_page_are_the_defaults() -> None:
    settings = ControlSettings()
    for name in (
        "ticket_ttl_s",
        "bundle_life_s",
        "max_sessions",
        "max_decisions",
        "service_grace_s",
    ):
        assert f"| `{name}` | {getattr(settings, name):.0f} |" in PAGE
    for name, value in settings.waiting:
        assert f"| `waiting.{name}` | {value:g} |" in PAGE
    assert f"{MOST_KEYS:,} at most" in PAGE
    assert f"first {MOST_ROWS} (`omitted`" in PAGE


def test_every_metric_is_on_the_page_and_no_other(tmp_path: Path) -> None:
    text = plane(tmp_path).centre().metrics.text().decode()
    real = set(re.findall(r"^# TYPE (heliovox_control_\w+) ", text, re.MULTILINE))
    named = set()
    for row in table("metric"):
        names = re.findall(r"`(\w+)`", row[0])
        named |= {name if name.startswith("helio") else f"heliovox_control{name}" for name in names}
    assert named == real


def test_every_path_is_on_the_page(tmp_path: Path) -> None:
    real = {route.path for route in make_app(plane(tmp_path).centre()).routes}
    for path in real:
        bare = re.sub(r":str|_id", "", path).replace("{session}", "{id}")
        shown = re.sub("{(decision|waiting)}", "{id}", bare).removesuffix("/undrain")
        assert shown.startswith("/schema") or shown in PAGE, path
