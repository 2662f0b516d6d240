"""`heliovox policy explain` and `schema`: who may go where, and what a file may say."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from heliovox.cli.display import printable
from heliovox.cli.exits import Exit, UsageError
from heliovox.cli.policy_text import matrix_text

if TYPE_CHECKING:
    from shared.policy import Facts
    from shared.regions.explaining import Row
    from shared.regions.model import World

EXPLAIN = """Shows who may go where: a row for each policy, and for each rule that changes it.
With --tenant, --data, --language or --country the rows are about such sessions alone.
Cells say what a region is to them, or by number the clause that takes it away.

Exit code 0, or 1 for a file with errors (see `policy lint`)."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    parser.add_argument("--policy", metavar="NAME", help="only this policy")
    parser.add_argument("--tenant", metavar="NAME", help="whose key it is")
    parser.add_argument("--data", metavar="KIND", help="that the session carries (default general)")
    parser.add_argument("--language", metavar="TAG", help="that is spoken")
    parser.add_argument(
        "--country",
        metavar="CC",
        action="append",
        help="that the caller counts as being in; twice for one who is in two",
    )
    parser.add_argument("--at", metavar="DATE", help="2027-01-31, or RFC 3339 (default: now)")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead")


def explain(args: argparse.Namespace, path: Path) -> int:
    """Runs it. Returns the exit code."""
    from shared.errors import VoiceError  # noqa: PLC0415 heavy
    from shared.regions.explaining import matrix  # noqa: PLC0415
    from shared.regions.file import check_file  # noqa: PLC0415

    checked = check_file(path)
    world = checked.world
    if world is None:
        for problem in checked.problems:
            print(printable(str(problem)), file=sys.stderr)
        return Exit.FAILED
    at_ms = moment_option("--at", args.at)
    try:
        rows = matrix(world, at_ms, _facts(args), args.policy)
    except VoiceError as error:
        raise UsageError(f"{error.field} {error.value}: {error.message}; {error.remedy}") from error
    print(_as_json(world, at_ms, rows) if args.json else _as_text(world, path, at_ms, rows), end="")
    return Exit.OK


def schema(_args: argparse.Namespace) -> int:
    """Prints the JSON schema. Returns the exit code."""
    from shared.regions.schema import schema_text  # noqa: PLC0415 heavy

    print(schema_text(), end="")
    return Exit.OK


def moment_option(option: str, given: str | None) -> int:
    """The moment that an option names, in milliseconds since 1970; now where it is not given.

    Raises:
        UsageError: it names none.
    """
    from shared.regions.words import moment_of  # noqa: PLC0415 heavy

    if given is None:
        return int(time.time()) * 1000
    try:
        return moment_of(given)
    except ValueError as error:
        raise UsageError(f"{option} {given}: write 2027-01-31 or 2027-01-31T09:00:00Z") from error


def _facts(args: argparse.Namespace) -> "Facts | None":
    """What the options say of a session; None where they say nothing."""
    from shared.policy import Facts, kind_of_data  # noqa: PLC0415 heavy
    from shared.regions.words import is_country  # noqa: PLC0415

    countries = [country.lower() for country in args.country or ()]
    for country in countries:
        if not is_country(country):
            raise UsageError(f"--country {country}: use an ISO 3166 code of two letters")
    if not (args.tenant or args.data or args.language or countries):
        return None
    data = kind_of_data(args.data)
    return Facts(args.tenant or "", data, args.language or "", frozenset(countries))


def _as_text(world: "World", path: Path, at_ms: int, rows: "Sequence[Row]") -> str:
    from shared.policy.moments import moment  # noqa: PLC0415 heavy
    from shared.regions.explaining import clauses_of  # noqa: PLC0415

    head = printable(f"{path}, version {world.version}, at {moment(at_ms)}")
    return f"{head}\n\n" + matrix_text(rows, list(world.regions), clauses_of(rows))


def _as_json(world: "World", at_ms: int, rows: "Sequence[Row]") -> str:
    told = {"version": world.version, "at_ms": at_ms, "rows": msgspec.to_builtins(rows)}
    return json.dumps(told) + "\n"
