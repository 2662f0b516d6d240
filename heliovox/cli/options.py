"""Where the node is and what the key is: options before environment before files."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from heliovox.cli.exits import UsageError
from heliovox.client.client import Client
from heliovox.protocol.audio import AudioFormat, Encoding, rates_hz

DEFAULT_URL = "ws://127.0.0.1:8300"


def add_node(parser: argparse.ArgumentParser) -> None:
    """The options that name a node."""
    group = parser.add_argument_group("node")
    group.add_argument("--url", help=f"host:port or URL (HELIOVOX_URL; default {DEFAULT_URL})")
    group.add_argument("--key", help="the key (HELIOVOX_KEY). Other users may see it in `ps`")
    group.add_argument(
        "--key-file",
        type=Path,
        help="a file that holds the key (HELIOVOX_KEY_FILE; default ~/.config/heliovox/key)",
    )


def add_session(parser: argparse.ArgumentParser) -> None:
    """The options that every kind of session has."""
    parser.add_argument("--language", default="en", help="what is spoken (default en)")
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")


def add_form(parser: argparse.ArgumentParser, what: str) -> None:
    """The options that name a form of audio."""
    parser.add_argument("--encoding", choices=get_args(Encoding), help=f"{what}")
    parser.add_argument("--rate", type=int, metavar="HZ", help="samples per second")


def form_of(args: argparse.Namespace) -> AudioFormat | None:
    """The form that the options name, None for none.

    Raises:
        UsageError: a rate that does not go with the encoding.
    """
    if args.encoding is None and args.rate is None:
        return None
    encoding: Encoding = args.encoding or "pcm_s16le"
    rate = args.rate or (16000 if encoding == "pcm_s16le" else 8000)
    if rate not in rates_hz(encoding):
        known = ", ".join(map(str, rates_hz(encoding)))
        raise UsageError(f"--rate {rate} does not go with {encoding}: use {known}")
    return AudioFormat(encoding, rate)


def client_of(args: argparse.Namespace) -> Client:
    """The node that the options, the environment or files name.

    Raises:
        UsageError: an address that names no node, or a key file that cannot be read.
    """
    url, key = address(args, os.environ, Path.home())
    try:
        return Client(url, key)
    except ValueError as error:
        raise UsageError(str(error)) from error


def address(
    args: argparse.Namespace, environ: Mapping[str, str], home: Path
) -> tuple[str, str | None]:
    """The URL and the key, if any."""
    url = args.url or environ.get("HELIOVOX_URL") or DEFAULT_URL
    if args.key_file is not None:
        return url, args.key or _key_in(args.key_file)
    if key := args.key or environ.get("HELIOVOX_KEY"):
        return url, key
    if named := environ.get("HELIOVOX_KEY_FILE"):
        return url, _key_in(Path(named))
    usual = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "heliovox" / "key"
    return url, _key_in(usual) if usual.is_file() else None


def _key_in(file: Path) -> str:
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the key file {file}: {error}") from error
    if not key or len(key.split()) > 1:
        raise UsageError(f"the key file {file} must hold one key and nothing else")
    return key
