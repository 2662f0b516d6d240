from pathlib import Path

import pytest

from control_plane.__main__ import main, parser, settings_of
from control_plane.ids import decision_ids, plane_of
from control_plane.settings import load
from shared.settings import SettingsRefused


def test_the_command_line_outranks_the_file(tmp_path: Path) -> None:
    config = tmp_path / "control.yaml"
    config.write_text("plane_id: p-1\nbus: {url: 'nats://a:1', seed_file: /x}\n")
    arguments = ["serve", "--config", str(config), "--plane-id", "p-2", "--bus-url", "nats://b:2"]
    settings = settings_of(parser().parse_args(arguments))
    assert settings.plane_id == "p-2"
    assert (settings.bus.url, settings.bus.seed_file) == ("nats://b:2", Path("/x"))


@pytest.mark.parametrize(
    "given",
    [
        {"colour": "red"},
        {"plane_id": "P.1"},
        {"plane_id": "x" * 33},
        {"ticket_ttl_s": 0},
        {"bundle_life_s": 1},
        {"bus": {"port": 1}},
        {"bundle_life_s": 120, "ticket_ttl_s": 300},
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(SettingsRefused):
        load(None, given, {})


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(SettingsRefused, match="HELIOVOX_CONTROL_PROT"):
        load(None, {}, {"HELIOVOX_CONTROL_PROT": "1"})


def test_check_config_looks_at_the_regions_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    regions = tmp_path / "regions.yaml"
    regions.write_text("moon: {}")
    assert main(["check-config", "--regions-file", str(regions)]) == 2
    assert "moon" in capsys.readouterr().err
    assert main(["check-config"]) == 0


@pytest.mark.parametrize("plane", ["p", "p-1", "a-b-c"])
def test_a_decisions_id_says_which_plane_made_it(plane: str) -> None:
    new = decision_ids(plane, lambda: 1_800_000_000_000)
    assert plane_of(new()) == plane
    assert new() != new()


@pytest.mark.parametrize("other", ["", "-", "x", "-abcdef012345", "p-1"])
def test_what_is_no_decisions_id_names_no_plane(other: str) -> None:
    assert plane_of(other) is None
