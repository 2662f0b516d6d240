import argparse
from pathlib import Path

import pytest

from heliovox.cli.address import DEFAULT_URL, Address, add_node, address
from heliovox.cli.exits import Exit, UsageError, cause_of, exit_of
from heliovox.client import CannotConnect, ConnectionLost, Refused, TimedOut, Unauthorised
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
