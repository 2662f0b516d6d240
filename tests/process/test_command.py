"""`heliovox-edge` as an operator runs it."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running_node import ROOT, running_node
from tests.support.talk import refusal, start, wait_for

pytestmark = pytest.mark.process


def edge(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_node", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "edge.yaml"
    file.write_text("node_id: n-7\nmax_streams: 5\n")
    return file


def test_settings_are_checked_and_shown(config: Path) -> None:
    checked = edge("check-config", "--config", str(config), "--json")
    assert checked.returncode == 0
    shown = json.loads(checked.stdout)
    assert (shown["node_id"], shown["max_streams"]) == ("n-7", 5)


@pytest.mark.parametrize(
    ("line", "named"),
    [("max_streems: 5", "max_streems"), ("port: high", "port"), ("drain_s: -1", "drain_s=-1")],
)
def test_wrong_settings_are_named(config: Path, line: str, named: str) -> None:
    config.write_text(line)
    for command in ("check-config", "serve"):
        refused = edge(command, "--config", str(config))
        assert refused.returncode == 2
        assert named in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_key_by_hand(tmp_path: Path) -> None:
    state = ("--state-dir", str(tmp_path))
    key = json.loads(edge("keys", "add", "desk", *state, "--json").stdout)["key"]
    assert key not in (tmp_path / "keys.json").read_text()
    listed = edge("keys", "list", *state)
    assert "desk" in listed.stdout
    assert key not in listed.stdout
    assert edge("keys", "add", "desk", *state).returncode == 1
    assert edge("keys", "revoke", "desk", *state).returncode == 0
    assert edge("keys", "revoke", "desk", *state).returncode == 1
    assert edge("keys", "list", *state).stdout == ""


def test_a_running_node_follows_its_keys(tmp_path: Path) -> None:
    state = ("--state-dir", str(tmp_path / "state"))
    with running_node(tmp_path) as node:
        key = edge("keys", "add", "late", *state).stdout.strip()
        wait_for(lambda: node.post("/v1/speech", b'{"text": "a"}', key)[0] == 200)
        assert edge("keys", "revoke", "default", *state).returncode == 0
        wait_for(lambda: node.post("/v1/speech", b'{"text": "a"}')[0] == 401)
        with node.call(key=None) as caller:
            caller.send(start(key=node.key))
            assert refusal(caller) == ("unauthorised", 4401)


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        failed = edge(
            *("serve", "--recogniser", "scripted"),
            *("--port", port, "--state-dir", str(tmp_path / "state")),
        )
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "in use" in failed.stderr


@pytest.mark.parametrize("model", ["no-such-model", "/nowhere/at/all"])
def test_a_model_that_is_not_there(tmp_path: Path, model: str) -> None:
    failed = edge("serve", "--recogniser", model, "--port", "0", "--state-dir", str(tmp_path))
    assert failed.returncode == 1
    assert model.rsplit("/", 1)[-1] in failed.stderr
    assert "Traceback" not in failed.stderr


def test_help_names_every_command() -> None:
    shown = edge("--help")
    assert shown.returncode == 0
    for command in ("serve", "check-config", "keys"):
        assert command in shown.stdout
