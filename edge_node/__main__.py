"""`heliovox-edge`: runs a node, checks its settings, and keeps its callers' keys."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_node.key_store import KeyStore
from edge_node.keys import KeyNameTaken, KeysUnreadable, UnknownKeyName
from edge_node.settings import EdgeSettings, load
from heliovox import __version__
from shared.errors import VoiceError
from shared.files import write_no_memory
from shared.running import FAILED, OK, explained, run_to_the_end
from shared.settings import SettingsRefused
from shared.telemetry import configure_logging

USAGE = 2
_log = logging.getLogger("edge_node")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code: 0 ended as asked, 1 failed, 2 wrong settings."""
    options = parser().parse_args(arguments)
    try:
        settings = settings_of(options)
        return int(options.run(options, settings))
    except SettingsRefused as error:
        return _say_failure(str(error), USAGE)
    except (OSError, KeysUnreadable, KeyNameTaken, UnknownKeyName, VoiceError) as error:
        return _say_failure(explained(error), FAILED)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser("heliovox-edge", description=__doc__)
    top.add_argument("--version", action="version", version=f"heliovox-edge {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run a node", parents=[_common()])
    _serve_options(serve)
    serve.set_defaults(run=_serve)
    check = commands.add_parser("check-config", help="check settings", parents=[_common()])
    check.set_defaults(run=_check)
    keys = commands.add_parser("keys", help="callers' keys").add_subparsers(
        required=True, metavar="ACTION"
    )
    add = keys.add_parser("add", help="make a key; it is shown once", parents=[_common()])
    add.add_argument("name", help="whose key it is")
    add.set_defaults(run=_add_key)
    listed = keys.add_parser("list", help="names and dates", parents=[_common()])
    listed.set_defaults(run=_list_keys)
    revoke = keys.add_parser("revoke", help="forget a key", parents=[_common()])
    revoke.add_argument("name", help="whose key it was")
    revoke.set_defaults(run=_revoke_key)
    return top


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, metavar="FILE", help="settings as YAML")
    common.add_argument("--state-dir", type=Path, help="where keys are kept")
    common.add_argument("--json", action="store_true", help="print JSON, one object a line")
    return common


def _serve_options(serve: argparse.ArgumentParser) -> None:
    """Only what is set often; the rest is in the file and the environment."""
    serve.add_argument("--host", help="address to listen on")
    serve.add_argument("--port", type=int, help="0 takes a free one")
    serve.add_argument("--node-id", help="the node's name")
    serve.add_argument("--max-streams", type=int, help="sessions at one time")
    serve.add_argument("--recogniser", help="a model of the catalogue, or `scripted`")
    serve.add_argument("--engine", help="onnx or sherpa")
    serve.add_argument("--variant", help="fp32 or int8")
    serve.add_argument("--provider", help="cpu or cuda")
    serve.add_argument("--region", help="where the node stands, as a member of a fleet")
    serve.add_argument("--drain-s", type=float, help="time for live sessions to end")
    serve.add_argument("--log-level", help="debug, info, warning or error")
    serve.add_argument("--log-format", help="text or json")


def settings_of(options: argparse.Namespace) -> EdgeSettings:
    """The settings that a parsed command line asks for. Raises SettingsRefused."""
    given: dict[str, Any] = {
        name: value
        for name, value in vars(options).items()
        if name in EdgeSettings.model_fields and value is not None
    }
    return load(options.config, given, os.environ)  # noqa: TID251 the names are checked here


def _serve(options: argparse.Namespace, settings: EdgeSettings) -> int:
    from edge_node.app import serve  # noqa: PLC0415 loads the engines' libraries, slowly

    configure_logging(settings.log_level, settings.log_format)
    write_no_memory()
    return run_to_the_end(serve(settings, as_json=options.json), _log)


def _check(options: argparse.Namespace, settings: EdgeSettings) -> int:
    if options.json:
        _print(settings.model_dump_json())
    else:
        _print("settings are fine")
    return OK


def _store(settings: EdgeSettings) -> KeyStore:
    return KeyStore(settings.state_dir / "keys.json")


def _add_key(options: argparse.Namespace, settings: EdgeSettings) -> int:
    key = _store(settings).add(options.name)
    _print(json.dumps({"name": options.name, "key": key}) if options.json else key)
    return OK


def _list_keys(options: argparse.Namespace, settings: EdgeSettings) -> int:
    for stored in _store(settings).keyring.keys:
        known = {"name": stored.name, "created": stored.created}
        _print(json.dumps(known) if options.json else f"{stored.created}  {stored.name}")
    return OK


def _revoke_key(options: argparse.Namespace, settings: EdgeSettings) -> int:
    _store(settings).revoke(options.name)
    if options.json:
        _print(json.dumps({"revoked": options.name}))
    return OK


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _say_failure(message: str, code: int) -> int:
    sys.stderr.write(f"heliovox-edge: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
