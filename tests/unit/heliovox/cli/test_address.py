import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from heliovox.cli.address import DEFAULT_URL, Address, add_node, address
from heliovox.cli.centre import add_control, operator_address
from heliovox.cli.exits import Exit, UsageError, cause_of, exit_of
from heliovox.client import CannotConnect, ConnectionLost, Refused, TimedOut, Unauthorised
from heliovox.local.home import Home, NodeFile, WorldFile, held
from heliovox.protocol.messages import Error


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_node(parser)
    return parser.parse_args(arguments)


def test_options_come_before_environment_before_files(tmp_path: Path) -> None:
    usual = tmp_path / ".config" / "heliovox" / "key"
    named = tmp_path / "named"
    assert address(parsed(), {}, tmp_path) == Address(DEFAULT_URL)
    usual.parent.mkdir(parents=True)
    usual.write_text("usual\n")
    named.write_text("named")
    environment = {"HELIOVOX_KEY_FILE": str(named)}
    assert address(parsed(), {}, tmp_path).key == "usual"
    assert address(parsed(), environment, tmp_path).key == "named"
    environment |= {"HELIOVOX_KEY": "variable", "HELIOVOX_URL": "there"}
    assert address(parsed(), environment, tmp_path) == Address("there", key="variable")
    assert address(parsed("--key-file", str(named)), environment, tmp_path).key == "named"
    assert address(parsed("--key", "k", "--url", "u"), environment, tmp_path) == Address(
        "u", key="k"
    )


@contextmanager
def a_world(folder: Path) -> Iterator[None]:
    home = Home(folder)
    (folder / "caller.key").write_text("worlds")
    (folder / "operator.key").write_text("operators")
    with held(home):
        world = WorldFile(
            name="world",
            folder=str(folder),
            pid=1,
            control="http://127.0.0.1:8401",
            control_pid=1,
            key_file=str(folder / "caller.key"),
            operator_key_file=str(folder / "operator.key"),
            nodes=(NodeFile("n-1", "eu-central", "http://127.0.0.1:8301", 2),),
            buses=(),
            logs=str(home.logs),
        )
        home.file.write_bytes(msgspec.json.encode(world))
        yield


def test_a_running_world_is_found_with_its_key(tmp_path: Path) -> None:
    """Keys of elsewhere are not shown to it, nor its own to others."""
    environment = {"HELIOVOX_HOME": str(tmp_path), "HELIOVOX_KEY": "elsewhere"}
    with a_world(tmp_path):
        found = address(parsed(), environment, tmp_path)
        assert found == Address(control="http://127.0.0.1:8401", key="worlds")
        found = address(parsed("--url", "http://127.0.0.1:8301"), environment, tmp_path)
        assert found.key == "worlds"
        found = address(parsed("--url", "http://example.org"), environment, tmp_path)
        assert found.key == "elsewhere"
        assert address(parsed("--key", "k"), environment, tmp_path).key == "k"
        there = environment | {"HELIOVOX_URL": "there"}
        assert address(parsed(), there, tmp_path) == Address("there", key="elsewhere")
    assert address(parsed(), environment, tmp_path) == Address(DEFAULT_URL, key="elsewhere")


def test_operators_find_the_world_with_their_key(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_control(parser)
    environment = {"HELIOVOX_HOME": str(tmp_path)}
    with a_world(tmp_path):
        found = operator_address(parser.parse_args([]), environment, tmp_path)
        assert found == ("http://127.0.0.1:8401", "operators")
        with pytest.raises(UsageError, match="no operator's key"):
            operator_address(parser.parse_args(["--control", "other"]), environment, tmp_path)


def test_a_control_plane_may_stand_instead_of_a_node(tmp_path: Path) -> None:
    environment = {"HELIOVOX_CONTROL": "there", "HELIOVOX_KEY": "k"}
    assert address(parsed(), environment, tmp_path) == Address(control="there", key="k")
    assert address(parsed("--control", "c"), environment, tmp_path).control == "c"
    assert address(parsed("--url", "u"), environment, tmp_path) == Address("u", key="k")
    with pytest.raises(UsageError, match="choose"):
        address(parsed("--url", "u", "--control", "c"), environment, tmp_path)


@pytest.mark.parametrize("content", [b"", b"two keys", b"\xff\xfe"])
def test_a_key_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(UsageError, match="key file"):
        address(parsed("--key-file", str(tmp_path / "key")), {}, tmp_path)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), Exit.INTERRUPTED),
        (UsageError("x"), Exit.USAGE),
        (CannotConnect("u", "w"), Exit.NO_CONNECTION),
        (ConnectionLost(None, ""), Exit.NO_CONNECTION),
        (TimedOut("w", 1), Exit.NO_CONNECTION),
        (Unauthorised(Error("unauthorised", "")), Exit.UNAUTHORISED),
        (Refused(Error("node_full", "")), Exit.REFUSED),
        (OSError(), Exit.FAILED),
        (RuntimeError(), Exit.FAILED),
    ],
)
def test_every_error_has_its_code(error: BaseException, code: Exit) -> None:
    assert exit_of(error) is code


def test_of_several_failures_the_nodes_own_words_count() -> None:
    refused = Refused(Error("node_full", ""))
    nested = ExceptionGroup("", [ConnectionLost(None, ""), ExceptionGroup("", [refused])])
    assert cause_of(nested) is refused
