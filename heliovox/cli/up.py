"""`heliovox up`: a whole world on this machine, until Ctrl-C."""

import argparse
import asyncio
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from heliovox.cli.exits import Exit, UsageError
from heliovox.cli.interrupts import ending
from heliovox.client.errors import ClientError
from heliovox.local.home import VARIABLE, Home, WorldFile, WorldHeld

if TYPE_CHECKING:
    from heliovox.local.world.settings import Plan
    from heliovox.local.world.world import LocalWorld

REGIONS = "eu-central,eu-west,ap-south,sa-east"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PARIS = "48.85,2.35"
_TEXT = f"""Starts message buses (NATS), a control plane and a node in each region, all processes of
its own on this machine; says where everything is; takes all down on Ctrl-C, or when one of them
ends by itself (exit code 1).

While it runs, the other commands find it and its keys by themselves. Files are kept in
{VARIABLE}, else in ~/.local/state/heliovox/world: one world at a time; --name NAME makes
another one beside it."""


class WorldFailed(ClientError):
    """The world did not come up, or a part of it ended."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "up",
        help="a world on this machine: buses, a control plane, a node in each region",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--regions",
        default=REGIONS,
        metavar="A,B,...",
        help=f"where nodes stand (default {REGIONS}); one named twice gets two",
    )
    parser.add_argument(
        "--streams-per-node",
        type=int,
        metavar="N",
        help="sessions that each node takes (default: what it measures of this machine)",
    )
    parser.add_argument("--port", type=int, default=0, help="the control plane's (default: free)")
    parser.add_argument("--name", help="of one of several worlds side by side")
    parser.add_argument(
        "--regions-file", type=Path, metavar="FILE", help="regions, zones, policies of your own"
    )
    parser.add_argument(
        "--json", action="store_true", help="one line once all is ready, with every address"
    )
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error")
    )
    parser.add_argument("--recogniser", help=argparse.SUPPRESS)  # `scripted` is for tests


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    try:
        from heliovox.local.nats_process import NatsFailed  # noqa: PLC0415
        from heliovox.local.world.child import ChildFailed  # noqa: PLC0415
        from heliovox.local.world.world import RegionUnknown  # noqa: PLC0415
        from shared.regions.problems import RegionsRefused  # noqa: PLC0415
    except ImportError as error:
        raise WorldFailed("up starts a world: pip install 'heliovox[edge,control,cpu]'") from error
    try:
        return asyncio.run(_up(args, plan_of(args)))
    except (WorldHeld, RegionUnknown, RegionsRefused) as error:
        raise UsageError(str(error)) from error
    except (NatsFailed, ChildFailed) as error:
        print(f"heliovox: {error}", file=sys.stderr)  # with the lines of the log
        return Exit.FAILED


def plan_of(args: argparse.Namespace) -> "Plan":
    """The world that the options want. Raises UsageError."""
    from heliovox.local.world.settings import Plan  # noqa: PLC0415 the node's packages

    if args.name is not None and not _NAME.fullmatch(args.name):
        raise UsageError(f"--name {args.name!r}: use a-z, 0-9 and -, 32 at most")
    if args.streams_per_node is not None and args.streams_per_node < 1:
        raise UsageError(f"--streams-per-node {args.streams_per_node}: a node takes at least one")
    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port {args.port}: ports end at 65535")
    regions = tuple(filter(None, (name.strip() for name in args.regions.split(","))))
    if not regions:
        raise UsageError("--regions names none")
    return Plan(
        home=Home.of(os.environ, Path.home(), args.name),
        environ=os.environ,
        name=args.name or "world",
        regions=regions,
        port=args.port,
        streams_per_node=args.streams_per_node,
        regions_file=args.regions_file,
        recogniser=args.recogniser,
        log_level=args.log_level,
    )


async def _up(args: argparse.Namespace, plan: "Plan") -> int:
    from heliovox.local.world.world import local_world  # noqa: PLC0415 the node's packages

    def tell(name: str, what: str) -> None:
        if not args.json:
            print(f"  {name:<16} {what}", flush=True)

    ready = False
    running: list[LocalWorld] = []
    try:
        with ending(running):
            async with local_world(plan, tell, running.append) as world:
                ready = True
                _announce(world, as_json=args.json)
                failure = await world.until_failure()
                print(f"heliovox: {failure}\nheliovox: the rest is taken down", file=sys.stderr)
    except asyncio.CancelledError:
        if not ready:
            raise
        if not args.json:
            print(f"\nThe world is down, and nothing is left but logs: {plan.home.logs}")
        return Exit.OK
    return Exit.FAILED


def _announce(world: "LocalWorld", *, as_json: bool) -> None:
    file = world.file
    assert file is not None
    if as_json:
        print(json.dumps({"event": "ready"} | msgspec.to_builtins(file)), flush=True)
        return
    print(shown(file, _example(world), os.environ, sys.argv[0]), flush=True)


def shown(file: WorldFile, example: str, environ: Mapping[str, str], program: str) -> str:
    """What a person reads once all is ready."""
    limited = ""
    if file.streams_per_node is not None:
        limited = f"  each node takes {file.streams_per_node} sessions at most, as you said\n"
    return (
        f"\nThe world is up after {file.took_s:.1f} s. Ctrl-C takes it down.\n\n"
        f"  control plane    {file.control}\n"
        f"  caller's key     {file.key_file}\n"
        f"  operator's key   {file.operator_key_file}\n"
        f"  all addresses    {Path(file.folder) / 'world.json'}\n"
        f"  logs             {file.logs}\n{limited}"
        f"\nIn another terminal:\n\n{_commands(file, example, environ, program)}"
    )


def _commands(file: WorldFile, example: str, environ: Mapping[str, str], program: str) -> str:
    command = "heliovox" if Path(program).name == "heliovox" else "python -m heliovox.cli"
    if Path(program).name == "heliovox" and shutil.which("heliovox") is None:
        command = shlex.quote(program)
    usual = Home.of({k: v for k, v in environ.items() if k != VARIABLE}, Path.home()).folder
    first = ""
    if Path(file.folder) != usual:
        first = f"  export {VARIABLE}={shlex.quote(file.folder)}\n"
    return (
        f"{first}"
        f"  {command} say 'good morning' -o - {example} | {command} listen - {example}\n"
        f"  {command} nodes\n"
        f"  {command} sessions --all\n"
        f"  {command} why ID\n"
    )


def _example(world: "LocalWorld") -> str:
    """Options that work in this world: a caller who is near, under a policy that allows it."""
    if "eu-central" in world.nodes_by_region:
        return f"--from {_PARIS} --policy eu-only"
    place = world.regions.regions[world.plan.regions[0]].place
    return f"--from {place.lat:g},{place.lon:g} --policy anywhere"
