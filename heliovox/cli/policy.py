"""`heliovox policy`: whether a world's regions and policies make sense, before anybody is served.

What it reads belongs to the centre's distribution and is imported when a command runs.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from heliovox.cli import policy_diff, policy_explain, policy_simulate
from heliovox.cli.display import printable
from heliovox.cli.exits import Exit
from heliovox.client.errors import ClientError

if TYPE_CHECKING:
    from shared.regions.file import Checked

Commands = argparse._SubParsersAction  # noqa: SLF001 argparse has no public name for it

_LINT = """Reads a regions.yaml and says everything that is wrong with it, a line each:
file:line: key: message; remedy. Warnings are odd and possible, errors keep the file from being
used: unknown keys, policies that could place nobody, overflow outside of what is allowed.

Exit code 0 without errors, 1 with."""


class NeedsControl(ClientError):
    """Regions and policies are read by what the control plane is made of."""


def register(subparsers: "Commands[argparse.ArgumentParser]") -> None:
    """Adds `policy` and its commands."""
    parser = subparsers.add_parser("policy", help="check who may be served where")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    lint = commands.add_parser(
        "lint",
        help="say what is wrong with a regions.yaml",
        description=_LINT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_file(lint)
    lint.add_argument("--json", action="store_true", help="one line of JSON instead")
    lint.set_defaults(act=_lint)
    _register_explain(commands)
    _register_reviews(commands)


def _register_explain(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "explain",
        help="show who may go where",
        description=policy_explain.EXPLAIN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_file(parser)
    policy_explain.add_options(parser)
    parser.set_defaults(act=_explain)
    schema = commands.add_parser("schema", help="print the JSON schema of a regions.yaml")
    schema.set_defaults(act=_schema)


def _register_reviews(commands: "Commands[argparse.ArgumentParser]") -> None:
    """What looks at a change before it is made."""
    diff = commands.add_parser(
        "diff",
        help="show what a change means to sessions",
        description=policy_diff.DIFF,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    policy_diff.add_options(diff)
    diff.set_defaults(act=_diff)
    simulate = commands.add_parser(
        "simulate",
        help="go through recorded decisions under another policy",
        description=policy_simulate.SIMULATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    policy_simulate.add_options(simulate)
    simulate.set_defaults(act=_simulate)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="a regions.yaml (HELIOVOX_REGIONS; default: the world that ships with heliovox)",
    )


def run(args: argparse.Namespace) -> int:
    """Runs a command. Returns the exit code."""
    code: int = args.act(args)
    return code


def _lint(args: argparse.Namespace) -> int:
    _needs_control()
    from shared.regions.file import check_file  # noqa: PLC0415 heavy

    path = _path(args)
    checked = check_file(path)
    if args.json:
        print(_as_json(path, checked))
    else:
        for problem in checked.problems:
            print(printable(str(problem)))
        print(printable(_verdict(path, checked)), file=sys.stderr)
    return Exit.FAILED if checked.world is None else Exit.OK


def _explain(args: argparse.Namespace) -> int:
    _needs_control()
    return policy_explain.explain(args, _path(args))


def _diff(args: argparse.Namespace) -> int:
    _needs_control()
    return policy_diff.run(args)


def _simulate(args: argparse.Namespace) -> int:
    _needs_control()
    return policy_simulate.run(args)


def _schema(args: argparse.Namespace) -> int:
    _needs_control()
    return policy_explain.schema(args)


def _needs_control() -> None:
    try:
        import shared.regions.file  # noqa: F401, PLC0415 heavy
    except ImportError as error:
        raise NeedsControl("policy reads worlds: pip install 'heliovox[control]'") from error


def _path(args: argparse.Namespace) -> Path:
    from shared.regions.file import default_world_path  # noqa: PLC0415 heavy

    return _file(args.file, os.environ) or default_world_path()


def _file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that an option or the environment names."""
    named = environ.get("HELIOVOX_REGIONS")
    return given or (Path(named) if named else None)


def _verdict(path: Path, checked: "Checked") -> str:
    world, warnings = checked.world, [p for p in checked.problems if p.severity == "warning"]
    if world is None:
        return f"{path}: {_count(len(checked.problems) - len(warnings), 'error')}"
    parts = (
        _count(len(world.regions), "region"),
        _count(len(world.zones), "zone"),
        _count(len(world.policies), "policy", "policies"),
        _count(len(warnings), "warning"),
    )
    return f"{path}: well: {', '.join(parts)}, version {world.version}"


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _as_json(path: Path, checked: "Checked") -> str:
    problems = [
        {name: getattr(problem, name) for name in problem.__struct_fields__}
        for problem in checked.problems
    ]
    world = checked.world
    return json.dumps(
        {
            "ok": world is not None,
            "file": str(path),
            "version": world.version if world else None,
            "problems": problems,
        }
    )
