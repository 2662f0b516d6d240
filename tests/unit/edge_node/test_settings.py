from pathlib import Path
from typing import Any

import pytest

from edge_node.settings import EdgeSettings, host_name, load
from shared.settings import SettingsRefused


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELIOVOX_EDGE_PORT", raising=False)


def test_the_defaults_are_a_node() -> None:
    settings = load(None, {}, {})
    assert settings.node_id == host_name()
    assert settings.max_streams <= settings.connections.max_connections


def test_command_line_over_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text("port: 1\nmax_streams: 1\ndrain_s: 1\nbatch:\n  max_streams: 3\n")
    monkeypatch.setenv("HELIOVOX_EDGE_PORT", "2")
    monkeypatch.setenv("HELIOVOX_EDGE_MAX_STREAMS", "2")
    monkeypatch.setenv("HELIOVOX_EDGE_BATCH__MAX_WAIT_MS", "7")
    settings = load(file, {"port": 3}, {})
    assert (settings.port, settings.max_streams, settings.drain_s) == (3, 2, 1)
    assert (settings.batch.max_streams, settings.batch.max_wait_ms) == (3, 7)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"port": 70000}, "port=70000"),
        ({"node_id": "A B"}, "node_id='A B'"),
        ({"engine": "magic"}, "engine='magic'"),
        ({"max_streams": 0}, "max_streams=0"),
        ({"max_streams": 9999}, "max_connections=4096"),
        ({"prot": 1}, "prot=1"),
        ({"batch": {"max_wait_s": 1}}, "batch.max_wait_s=1"),
        ({"content": {"servers": {"a": "nats://h:1"}}}, "content.servers and content.seed_file"),
        ({"content": {"seed_file": "/s"}}, "content.servers and content.seed_file"),
        ({"content": {"servers": {"A.": "nats://h:1"}, "seed_file": "/s"}}, "'A.' cannot stand"),
        ({"content": {"pseudonym_key_file": "/k"}}, "content needs region"),
        (
            {"content": {"servers": {"a": "nats://h:1"}, "seed_file": "/s"}},
            "content needs region",
        ),
    ],
)
def test_a_refusal_names_setting_and_value(given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsRefused, match=named):
        load(None, given, {})


@pytest.mark.parametrize("content", ["prot: 1", "- 1", "{", "port: [", "\x00"])
def test_a_file_that_is_no_settings_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "edge.yaml").write_text(content)
    with pytest.raises(SettingsRefused):
        load(tmp_path / "edge.yaml", {}, {})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"none\.yaml"):
        load(tmp_path / "none.yaml", {}, {})


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(SettingsRefused, match="HELIOVOX_EDGE_PROT"):
        load(None, {}, {"HELIOVOX_EDGE_PROT": "1", "PATH": "/bin"})


def test_open_files_cap_connections() -> None:
    connections = EdgeSettings().connections
    assert connections.limits(open_files=1000).connections == 500
    assert connections.limits(open_files=1 << 20).connections == 4096
    assert 0 < connections.limits(open_files=10).sockets < 64
