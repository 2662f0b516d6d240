"""What every command that asks the control plane shares: whom to ask, with which key, and how."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from heliovox.cli.address import key_in
from heliovox.cli.exits import UsageError
from heliovox.client.control import ControlPlane
from heliovox.local.home import Home

T = TypeVar("T")
DEFAULT_CONTROL = "http://127.0.0.1:8400"


def add_control(parser: argparse.ArgumentParser) -> None:
    """The options that name a control plane and the key to it."""
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    group = parser.add_argument_group("control plane")
    group.add_argument(
        "--control",
        metavar="URL",
        help="host:port or URL (HELIOVOX_CONTROL; else the world that `heliovox up` runs; else "
        f"{DEFAULT_CONTROL})",
    )
    group.add_argument(
        "--key-file",
        type=Path,
        help="a file that holds an operator's key (HELIOVOX_OPERATOR_KEY_FILE; else the world's)",
    )


def control_of(args: argparse.Namespace) -> ControlPlane:
    """The control plane that the options, the environment or a running world name.

    Raises:
        UsageError: an address that names none, or no key.
    """
    url, key = operator_address(args, os.environ, Path.home())
    try:
        return ControlPlane(url, key)
    except ValueError as error:
        raise UsageError(str(error)) from error


def operator_address(
    args: argparse.Namespace, environ: Mapping[str, str], user: Path
) -> tuple[str, str]:
    """The URL and the key."""
    world = Home.of(environ, user).world()
    url = args.control or environ.get("HELIOVOX_CONTROL")
    url = url or (world.control if world else DEFAULT_CONTROL)
    if named := args.key_file or environ.get("HELIOVOX_OPERATOR_KEY_FILE"):
        return url, key_in(Path(named))
    if world is not None and url == world.control:
        return url, key_in(Path(world.operator_key_file))
    raise UsageError(
        "no operator's key: name its file with --key-file or HELIOVOX_OPERATOR_KEY_FILE"
    )


def ask(question: Callable[[ControlPlane], Awaitable[T]], args: argparse.Namespace) -> T:
    """The answer to one question."""
    plane = control_of(args)

    async def asked() -> T:
        return await question(plane)

    return asyncio.run(asked())


def as_json_lines(rows: Sequence[msgspec.Struct]) -> str:
    """One object a line."""
    return "".join(msgspec.json.encode(row).decode() + "\n" for row in rows)
