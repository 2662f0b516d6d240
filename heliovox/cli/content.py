"""`heliovox content`: what is kept of sessions, for whoever answers for it, and its end.

What speaks to the stores belongs to the node's distribution and is imported when a command runs.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from heliovox.cli.content_text import kept, receipt, words
from heliovox.cli.exits import Exit, UsageError
from heliovox.client.errors import ClientError
from heliovox.local.home import Home

if TYPE_CHECKING:
    from shared.content.custody import StoreAddress

STORES = "HELIOVOX_CONTENT_STORES"
_TEXT = """Looks into the stores in which content of sessions is kept, and deletes from them.

It speaks to the regions' message buses with their custodians' keys, and to nobody else: the control
plane knows no content. Stores and keys are those of the world that `heliovox up` runs, or of a
file: [{"region": "eu-west", "url": "nats://...", "seed_file": "/..."}, ...]"""
_DELETE = """Deletes what is kept of a session in every store, asks each what is left, and prints a
receipt. Stores that do not answer are asked again for --wait seconds. Exit code 1 unless every
store says that nothing is left."""


class NeedsNode(ClientError):
    """Stores are spoken to by what nodes are made of."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "content",
        help="what is kept of sessions: list, show, delete",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="sessions of which something is kept, and where")
    listed.set_defaults(act=_list)
    shown = actions.add_parser("show", help="the words that are kept of a session")
    shown.set_defaults(act=_show)
    deleted = actions.add_parser(
        "delete", help="delete all that is kept of a session, and prove it", description=_DELETE
    )
    deleted.set_defaults(act=_delete)
    deleted.add_argument("--wait", type=float, default=30.0, metavar="S", help="default 30")
    prepared = actions.add_parser("prepare", help="make the stores, or change how much they hold")
    prepared.set_defaults(act=_prepare)
    prepared.add_argument("--max-bytes", type=int, default=1 << 28, metavar="N", help="of each")
    for action in (listed, shown, deleted, prepared):
        action.add_argument("--json", action="store_true", help="JSON, one object a line")
        action.add_argument("--stores", type=Path, metavar="FILE", help=f"stores, keys ({STORES})")
    for action in (shown, deleted):
        action.add_argument("session", metavar="SESSION", help="as `heliovox sessions` shows it")


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    try:
        addresses = addresses_of(args, os.environ, Path.home())
    except ImportError as error:
        raise NeedsNode("content needs more: pip install 'heliovox[edge,cpu]'") from error
    return int(asyncio.run(args.act(args, addresses)))


def addresses_of(
    args: argparse.Namespace, environ: Mapping[str, str], user: Path
) -> "tuple[StoreAddress, ...]":
    """The stores that the options, the environment or a running world name. Raises UsageError."""
    from shared.content.custody import StoreAddress, read_addresses  # noqa: PLC0415
    from shared.errors import VoiceError  # noqa: PLC0415
    from shared.subjects import token  # noqa: PLC0415

    try:
        token(getattr(args, "session", "x"))
        if named := args.stores or environ.get(STORES):
            return read_addresses(Path(named).read_bytes())
    except (OSError, ValueError, VoiceError) as error:
        raise UsageError(str(error)) from error
    world = Home.of(environ, user).world()
    if world is None or not world.stores:
        raise UsageError(f"no stores: name a file of them with --stores or {STORES}")
    return tuple(StoreAddress(one.region, one.url, one.seed_file) for one in world.stores)


async def _list(args: argparse.Namespace, addresses: "tuple[StoreAddress, ...]") -> int:
    from shared.content import custody  # noqa: PLC0415

    async with custody.opened(addresses) as stores:
        sessions, away = await custody.look(stores)
    _say(_lines(sessions) if args.json else kept(sessions))
    return _complain(away)


async def _show(args: argparse.Namespace, addresses: "tuple[StoreAddress, ...]") -> int:
    from shared.content import custody  # noqa: PLC0415

    async with custody.opened(addresses) as stores:
        found = await custody.words_of(stores, args.session)
    _say(_lines(found.finals) if args.json else words(found.finals))
    for region, sequence in found.damaged:
        print(f"{region}: message {sequence} cannot be read", file=sys.stderr)
    code = _complain(found.away)
    if not found.finals:
        gone = " any more: it was deleted" if found.deleted is not None else ""
        print(f"nothing is kept of {args.session}{gone}", file=sys.stderr)
        return Exit.FAILED
    return code


async def _delete(args: argparse.Namespace, addresses: "tuple[StoreAddress, ...]") -> int:
    from shared.clock import SystemClock, wall_ms  # noqa: PLC0415
    from shared.content import custody  # noqa: PLC0415

    async with custody.opened(addresses) as stores:
        deletion = await custody.delete(
            stores, args.session, at_ms=wall_ms(), wait_s=args.wait, clock=SystemClock()
        )
    _say(_lines([deletion]) if args.json else receipt(deletion))
    return Exit.OK if deletion.verified else Exit.FAILED


async def _prepare(args: argparse.Namespace, addresses: "tuple[StoreAddress, ...]") -> int:
    from shared.content import custody  # noqa: PLC0415
    from shared.content.stream import content_stream  # noqa: PLC0415

    async with custody.opened(addresses) as stores:
        for store in stores:
            await store.bus.ensure_stream(content_stream(args.max_bytes))
            made = {"region": store.region, "max_bytes": args.max_bytes}
            _say(_lines([made]) if args.json else f"{store.region}: {args.max_bytes} bytes\n")
    return Exit.OK


def _lines(rows: Sequence[object]) -> str:
    return "".join(msgspec.json.encode(row).decode() + "\n" for row in rows)


def _say(text: str) -> None:
    sys.stdout.write(text)


def _complain(away: Mapping[str, str]) -> int:
    """What does not answer may hold more."""
    for region, why in away.items():
        print(f"{region} does not answer: {why}", file=sys.stderr)
    return Exit.FAILED if away else Exit.OK
