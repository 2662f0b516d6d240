"""Where to go and with which key: options before environment before files."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heliovox.cli.exits import UsageError
from heliovox.client.client import Client
from heliovox.local.home import Home, WorldFile

DEFAULT_URL = "ws://127.0.0.1:8300"


@dataclass(frozen=True, slots=True)
class Address:
    """A node's or a control plane's URL, one of the two, and a caller's key."""

    url: str | None = None
    control: str | None = None
    key: str | None = None


def add_node(parser: argparse.ArgumentParser) -> None:
    """The options that name a node, or a control plane that finds one."""
    group = parser.add_argument_group(
        "node or control plane",
        "Without any, the world that `heliovox up` runs here; without that, the node at "
        f"{DEFAULT_URL}.",
    )
    group.add_argument("--url", help="a node, host:port or URL (HELIOVOX_URL)")
    group.add_argument(
        "--control",
        metavar="URL",
        help="a control plane that finds a node, host:port or URL (HELIOVOX_CONTROL)",
    )
    group.add_argument("--key", help="the key (HELIOVOX_KEY). Other users may see it in `ps`")
    group.add_argument(
        "--key-file",
        type=Path,
        help="a file that holds the key (HELIOVOX_KEY_FILE; default ~/.config/heliovox/key, or the "
        "world's)",
    )


def client_of(args: argparse.Namespace) -> Client:
    """A client of what the options, the environment or files name.

    Raises:
        UsageError: an address that is none, or a key file that cannot be read.
    """
    found = address(args, os.environ, Path.home())
    try:
        return Client(found.url, found.key, control=found.control)
    except ValueError as error:
        raise UsageError(str(error)) from error


def address(args: argparse.Namespace, environ: Mapping[str, str], user: Path) -> Address:
    """Where to go, and the key, if any."""
    if args.url and args.control:
        raise UsageError("--url names a node, --control what finds one: choose")
    world = Home.of(environ, user).world()
    url, control = _where(args, environ, world)
    return Address(url, control, _key(args, environ, user, _keys_of(world, url or control)))


def _where(
    args: argparse.Namespace, environ: Mapping[str, str], world: WorldFile | None
) -> tuple[str | None, str | None]:
    if args.url or args.control:
        return args.url, args.control
    if url := environ.get("HELIOVOX_URL"):
        return url, None
    if control := environ.get("HELIOVOX_CONTROL"):
        return None, control
    return (None, world.control) if world else (DEFAULT_URL, None)


def _keys_of(world: WorldFile | None, where: str | None) -> Path | None:
    """The key file of the world, where it is the world that is talked to."""
    if world is None or where not in {world.control, *(node.url for node in world.nodes)}:
        return None
    return Path(world.key_file)


def _key(
    args: argparse.Namespace, environ: Mapping[str, str], user: Path, worlds: Path | None
) -> str | None:
    if args.key_file is not None:
        return args.key or key_in(args.key_file)
    if args.key:
        return str(args.key)
    if worlds is not None:  # keys of elsewhere are not for a world that has its own
        return key_in(worlds)
    if key := environ.get("HELIOVOX_KEY"):
        return key
    if named := environ.get("HELIOVOX_KEY_FILE"):
        return key_in(Path(named))
    usual = Path(environ.get("XDG_CONFIG_HOME") or user / ".config") / "heliovox" / "key"
    return key_in(usual) if usual.is_file() else None


def key_in(file: Path) -> str:
    """The key that a file holds. Raises UsageError."""
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the key file {file}: {error}") from error
    if not key or len(key.split()) > 1:
        raise UsageError(f"the key file {file} must hold one key and nothing else")
    return key
