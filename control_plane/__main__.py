"""`heliovox-control`: runs a control plane, checks its settings, and keeps keys."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from control_plane import key_commands, record_commands
from control_plane.settings import ControlSettings, load
from control_plane.signing import SigningKeyRefused
from control_plane.tenants.keys import ROLES
from control_plane.world import RegionsFile, regions_path
from heliovox import __version__
from shared import heap
from shared.clock import SystemClock
from shared.errors import VoiceError
from shared.regions.problems import RegionsRefused
from shared.running import FAILED, OK, explained, run_to_the_end
from shared.settings import SettingsRefused
from shared.telemetry import configure_logging

USAGE = 2
_log = logging.getLogger("control_plane")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code: 0 ended as asked, 1 failed, 2 wrong settings or regions."""
    options = parser().parse_args(arguments)
    try:
        settings = settings_of(options)
        return int(options.run(options, settings))
    except (SettingsRefused, RegionsRefused) as error:
        return _say_failure(str(error), USAGE)
    except (OSError, SigningKeyRefused, VoiceError) as error:
        return _say_failure(explained(error), FAILED)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser("heliovox-control", description=__doc__)
    top.add_argument("--version", action="version", version=f"heliovox-control {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run a control plane", parents=[_common()])
    _serve_options(serve)
    serve.set_defaults(run=_serve)
    check = commands.add_parser(
        "check-config", help="check settings and regions", parents=[_common()]
    )
    check.add_argument("--regions-file", type=Path, help="regions, zones and policies")
    check.set_defaults(run=_check)
    _key_options(commands.add_parser("keys", help="callers' and operators' keys"))
    records = commands.add_parser("records", help="what decisions were made from")
    record_commands.add_options(records, _common())
    return top


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, metavar="FILE", help="settings as YAML")
    common.add_argument("--state-dir", type=Path, help="where the signing key is kept")
    common.add_argument("--plane-id", help="the control plane's name")
    common.add_argument("--bus-url", help="of a server of the centre, nats://HOST:PORT")
    common.add_argument("--bus-seed-file", type=Path, help="the nkey to connect with")
    common.add_argument("--json", action="store_true", help="print JSON, one object a line")
    return common


def _serve_options(serve: argparse.ArgumentParser) -> None:
    """Only what is set often; the rest is in the file and the environment."""
    serve.add_argument("--host", help="address to listen on")
    serve.add_argument("--port", type=int, help="0 takes a free one")
    serve.add_argument("--regions-file", type=Path, help="regions, zones and policies")
    serve.add_argument("--log-level", help="debug, info, warning or error")
    serve.add_argument("--log-format", help="text or json")


def _key_options(keys: argparse.ArgumentParser) -> None:
    actions = keys.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key; it is shown once", parents=[_common()])
    add.add_argument("name", help="of the key")
    add.add_argument("--tenant", help="whose key it is; the key's name if not said")
    add.add_argument("--role", choices=ROLES, default="caller")
    add.add_argument(
        "--policy",
        action="append",
        help="a policy that it permits, or *; may be repeated, the first is its default",
    )
    add.set_defaults(run=_keys(key_commands.add))
    listed = actions.add_parser("list", help="the valid keys", parents=[_common()])
    listed.set_defaults(run=_keys(key_commands.listed))
    revoke = actions.add_parser("revoke", help="forget a key, at once", parents=[_common()])
    revoke.add_argument("name", help="of the key")
    revoke.set_defaults(run=_keys(key_commands.revoked))


def settings_of(options: argparse.Namespace) -> ControlSettings:
    """The settings that a parsed command line asks for. Raises SettingsRefused."""
    said = {name: value for name, value in vars(options).items() if value is not None}
    given: dict[str, Any] = {
        name: value for name, value in said.items() if name in ControlSettings.model_fields
    }
    bus = {name: said[f"bus_{name}"] for name in ("url", "seed_file") if f"bus_{name}" in said}
    if bus:
        given["bus"] = bus
    return load(options.config, given, os.environ)  # noqa: TID251 the names are checked here


def _serve(options: argparse.Namespace, settings: ControlSettings) -> int:
    from control_plane.app import serve  # noqa: PLC0415 loads the web framework, slowly

    configure_logging(settings.log_level, settings.log_format)
    heap.settle()
    return run_to_the_end(serve(settings, as_json=options.json), _log)


def _check(options: argparse.Namespace, settings: ControlSettings) -> int:
    RegionsFile(regions_path(settings.regions_file), SystemClock(), lambda _: None)
    if options.json:
        key_commands.say(settings.model_dump_json())
    else:
        key_commands.say("settings and regions are fine")
    return OK


def _keys(work: key_commands.Work) -> Any:
    def run(options: argparse.Namespace, settings: ControlSettings) -> int:
        asyncio.run(key_commands.on_the_bus(settings, options, work))
        return OK

    return run


def _say_failure(message: str, code: int) -> int:
    sys.stderr.write(f"heliovox-control: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
