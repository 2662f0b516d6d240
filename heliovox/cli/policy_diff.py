"""`heliovox policy diff`: what a change of regions and policies means to sessions."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from heliovox.cli.display import printable
from heliovox.cli.exits import Exit, UsageError
from heliovox.cli.policy_diff_text import diff_text
from heliovox.cli.policy_explain import moment_option

if TYPE_CHECKING:
    from shared.regions.file import Checked
    from shared.regions.model import World

DIFF = """Compares two regions files by what they mean, not by their text: which sessions gain or
lose which region, and by which clause; what settings change; regions that come, go or change. A
rule that is worded otherwise and does the same is no difference, nor is what ended already.

  git show HEAD:regions.yaml | heliovox policy diff - regions.yaml

Exit code 0 where both mean the same to every session, 1 where they do not, 2 where a file has
errors (see `policy lint`)."""
STDIN = "-"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `diff`."""
    parser.add_argument("before", metavar="A", help="a regions.yaml; - for standard input")
    parser.add_argument("after", metavar="B", help="another, likewise")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="DATE",
        help="what only held before it is left out: 2027-01-31, RFC 3339, or ever (default: now)",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead")


def run(args: argparse.Namespace) -> int:
    """Runs it. Returns the exit code."""
    from control_plane.policies.diff import diff  # noqa: PLC0415 heavy

    if args.before == args.after == STDIN:
        raise UsageError("only one of the files can be standard input")
    since_ms = None if args.since == "ever" else moment_option("--from", args.since)
    before, after = world_of(args.before), world_of(args.after)
    if before is None or after is None:
        return Exit.USAGE
    found = diff(before, after, since_ms)
    if args.json:
        print(json.dumps({"same": found.same, **msgspec.to_builtins(found)}))
    else:
        print(diff_text(found, _name(args.before), _name(args.after)), end="")
    return Exit.OK if found.same else Exit.FAILED


def world_of(named: str) -> "World | None":
    """A file's world; None where it has errors, which are told as `lint` tells them."""
    checked = _checked(named)
    if checked.world is None:
        for problem in checked.problems:
            print(printable(str(problem)), file=sys.stderr)
    return checked.world


def _checked(named: str) -> "Checked":
    from shared.regions.composing import MAX_BYTES  # noqa: PLC0415 heavy
    from shared.regions.file import check_file, check_text  # noqa: PLC0415

    if named != STDIN:
        return check_file(Path(named))
    text = sys.stdin.buffer.read(MAX_BYTES + 1).decode(errors="replace")
    return check_text(text, _name(named))


def _name(named: str) -> str:
    return "standard input" if named == STDIN else named
