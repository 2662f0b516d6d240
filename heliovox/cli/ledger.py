"""`heliovox ledger`: takes away what proves where sessions were heard, and checks it."""

import argparse
import asyncio
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from heliovox.cli import centre
from heliovox.cli.display import printable
from heliovox.cli.exits import Exit, UsageError
from heliovox.client.control import ControlPlane
from heliovox.client.errors import ClientError

if TYPE_CHECKING:
    from control_plane.ledger.bundle import Stretch

Commands = argparse._SubParsersAction  # noqa: SLF001 argparse has no public name for it

_EXPORT = """Writes a folder that `heliovox ledger verify` can check without any of us: what the
control plane states of the time, and the records of every node that it speaks of. Records come from
regions' stores (--store), from nodes' own folders (--ledger), or from both; of a world that
`heliovox up` runs, from its nodes' folders.

Exit code 1 where records are missing that a node signed: the rest is written all the same."""
_VERIFY = """Runs the verifier, one file of standard-library Python, in an interpreter of its own
that imports nothing else. Whoever does not trust this command runs that file himself:
docs/ledger.md.

Exit code 0 where nothing is wrong, 1 where something is: the first thing is named."""


class NeedsControl(ClientError):
    """Ledgers are read by what node and control plane are made of."""


def register(subparsers: "Commands[argparse.ArgumentParser]") -> None:
    """Adds `ledger` and its commands."""
    parser = subparsers.add_parser("ledger", help="prove where sessions were heard")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _register_export(commands)
    heads = commands.add_parser("heads", help="print the last head of every ledger, to be kept")
    centre.add_control(heads)
    heads.set_defaults(act=_heads)
    verify = commands.add_parser(
        "verify",
        help="check a bundle",
        description=_VERIFY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("bundle", type=Path, help="the folder that `export` wrote")
    verify.add_argument("--centre-key", help="signing.pub.pem, or 64 hex digits")
    verify.add_argument("--heads", type=Path, help="heads that you kept earlier, as JSON lines")
    verify.add_argument("--receipts", type=Path, help="what callers know, as JSON lines")
    verify.set_defaults(act=_verify)


def _register_export(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export",
        help="write a bundle",
        description=_EXPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    when = "a date, or a moment as 2026-01-31T09:00:00+01:00"
    parser.add_argument("--from", dest="begin", metavar="WHEN", help=f"{when}; default: ever")
    parser.add_argument("--until", metavar="WHEN", help="likewise; default: now")
    parser.add_argument(
        "--ledger",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a node's folder STATE_DIR/ledger; may be repeated",
    )
    parser.add_argument(
        "--store",
        nargs=3,
        action="append",
        default=[],
        metavar=("REGION", "URL", "SEED_FILE"),
        help="a region's message bus, and the key of its custodian; may be repeated",
    )
    centre.add_control(parser)
    parser.set_defaults(act=_export)


def run(args: argparse.Namespace) -> int:
    """Runs a command. Returns the exit code."""
    code: int = args.act(args)
    return code


def _export(args: argparse.Namespace) -> int:
    _needs_control()
    from control_plane.ledger.bundle import bundle_files  # noqa: PLC0415 heavy
    from shared.files import write_private  # noqa: PLC0415 heavy

    if args.out.exists() and any(args.out.iterdir()):
        raise UsageError(f"{args.out} is not empty: name a new folder")
    begin, until = _moment(args.begin) or 0, _moment(args.until)

    async def stated(plane: ControlPlane) -> dict[str, bytes]:
        files = (await plane.ledger(begin, until)).files
        return {name: text.encode() for name, text in files.items()}

    files, missing = bundle_files(centre.ask(stated, args), _ledgers(args))
    for name, data in files.items():
        write_private(args.out / name, data)
    said = {"out": str(args.out), "files": len(files), "missing": missing}
    if args.json:
        print(json.dumps(said))
    else:
        print(printable(f"{args.out}: {len(files)} files"))
        for line in missing:
            print(printable(f"missing: {line}"), file=sys.stderr)
    return Exit.FAILED if missing else Exit.OK


def _ledgers(args: argparse.Namespace) -> "dict[str, Stretch]":
    """All records that are to be had, by ledger."""
    from heliovox.cli import ledger_sources as sources  # noqa: PLC0415 heavy

    folders = args.ledger or ([] if args.store else sources.of_world())
    found = [sources.of_folder(folder) for folder in folders]
    for region, url, seed_file in args.store:
        found += asyncio.run(sources.of_store(region, url, Path(seed_file)))
    return sources.together(found)


def _heads(args: argparse.Namespace) -> int:
    for head in centre.ask(ControlPlane.ledger_heads, args):
        print(json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    return Exit.OK


def _verify(args: argparse.Namespace) -> int:
    spec = find_spec("control_plane.ledger.verify") if _has_control() else None
    if spec is None or spec.origin is None:
        raise NeedsControl("the verifier comes with pip install 'heliovox[control]'")
    command = [sys.executable, "-I", spec.origin, str(args.bundle)]
    for name in ("centre_key", "heads", "receipts"):
        if (value := getattr(args, name)) is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    return subprocess.run(command, check=False).returncode  # noqa: S603 our own file


def _moment(word: str | None) -> int | None:
    from shared.regions.words import moment_of  # noqa: PLC0415 heavy

    if word is None:
        return None
    try:
        return moment_of(word)
    except ValueError as error:
        raise UsageError(f"{word}: {error}") from error


def _has_control() -> bool:
    return find_spec("control_plane") is not None


def _needs_control() -> None:
    if not _has_control():
        raise NeedsControl("ledgers are read by pip install 'heliovox[control,edge]'")
