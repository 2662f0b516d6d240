"""`heliovox policy simulate`: recorded decisions under a proposed policy, and limits for it."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from heliovox.cli.display import printable
from heliovox.cli.exits import Exit
from heliovox.cli.policy_explain import moment_option
from heliovox.cli.policy_simulate_text import limit_text, review_text

if TYPE_CHECKING:
    from control_plane.policies.limits import Limits
    from control_plane.policies.review import Review
    from control_plane.policies.simulate import Options

SIMULATE = """Goes through recorded decisions under another regions file: who would be placed
elsewhere, wait, be refused, get slower, cost more, by tenant and hour. Seats are counted: whoever
is placed elsewhere takes one there and leaves one free where he was.

  heliovox-control records export --out day.hvlog
  heliovox policy simulate day.hvlog --policy regions.yaml --max-refused-share 0.01

Exit code 0 within the limits given, 1 beyond one, 2 where log or file cannot be used.
docs/reviewing.md says what is modelled and what is not."""
_LIMITS = (
    ("refused-share", "of sessions that are refused, and were placed as recorded"),
    ("moved-share", "of sessions that are placed in another region"),
    ("waits-share", "of sessions that wait more than a second longer"),
    ("slower-share", "of sessions whose round trip gets more than a millisecond longer"),
    ("added-rtt-p95-ms", "that the round trip of 95 %% of the moved grows by"),
    ("added-cost-share", "of what sessions cost as recorded"),
)
_BAR = 24
_TOLD_S = 0.2


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `simulate`."""
    parser.add_argument(
        "log", metavar="LOG", type=Path, help="of `heliovox-control records export`"
    )
    parser.add_argument("--policy", required=True, metavar="B", help="the regions.yaml to try")
    parser.add_argument(
        "--from", dest="since", metavar="DATE", help="count from: 2027-01-31, RFC 3339"
    )
    parser.add_argument("--until", metavar="DATE", help="and before then")
    parser.add_argument(
        "--partial", action="store_true", help="leave out what cannot be read of a damaged log"
    )
    parser.add_argument(
        "--mean-s",
        type=_seconds,
        default=180.0,
        metavar="S",
        help="how long sessions last where nothing is noted of any (default 180)",
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="at most (default: as many as processors)"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead")
    group = parser.add_argument_group("limits, to refuse a change by")
    for name, meaning in _LIMITS:
        group.add_argument(f"--max-{name}", type=_limit, metavar="N", help=f"most {meaning}")


def run(args: argparse.Namespace) -> int:
    """Runs it. Returns the exit code."""
    from shared.errors import VoiceError  # noqa: PLC0415 heavy

    try:
        found = _simulated(args)
    except (VoiceError, ValueError, OSError) as error:
        print(printable_lines(str(error)), file=sys.stderr)
        return Exit.USAGE
    print(_as_json(found) if args.json else review_text(found), end="")
    for one in found.exceeded:
        print(printable(limit_text(one)), file=sys.stderr)
    if not found.total.sessions:
        print("no session in the log counts: there is nothing to judge by", file=sys.stderr)
        return Exit.FAILED
    return Exit.FAILED if found.exceeded else Exit.OK


def printable_lines(text: str) -> str:
    """Every line without what would move a terminal's cursor."""
    return "\n".join(map(printable, text.splitlines()))


def _simulated(args: argparse.Namespace) -> "Review":
    from control_plane.simulating import Job, Proposed, simulate  # noqa: PLC0415 heavy
    from control_plane.world import read_text  # noqa: PLC0415

    path = Path(args.policy)
    text = sys.stdin.read() if args.policy == "-" else read_text(path)
    proposed = Proposed(text, "standard input" if args.policy == "-" else str(path))
    job = Job(args.log, proposed.world, partial=args.partial)
    bar = Bar()
    try:
        return simulate(
            job, _options(args), _limits(args), processes=args.processes, progress=bar.show
        )
    finally:
        bar.wipe()


def _options(args: argparse.Namespace) -> "Options":
    from control_plane.policies.simulate import Options  # noqa: PLC0415 heavy

    moments = {
        name: None if given is None else moment_option(f"--{name}", given)
        for name, given in (("from", args.since), ("until", args.until))
    }
    return Options(moments["from"], moments["until"], args.mean_s)


def _limits(args: argparse.Namespace) -> "Limits":
    from control_plane.policies.limits import Limits  # noqa: PLC0415 heavy

    names = (f"max_{name}".replace("-", "_") for name, _ in _LIMITS)
    return Limits(**{name: getattr(args, name) for name in names})


def _limit(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from 0 on, such as 0.01")
    return value


def _seconds(text: str) -> float:
    value = _limit(text)
    if not value:
        raise argparse.ArgumentTypeError("sessions last longer than 0 s")
    return value


def _as_json(found: "Review") -> str:
    told: dict[str, Any] = msgspec.to_builtins(found, str_keys=True)
    return json.dumps({"ok": not found.exceeded, **told}) + "\n"


class Bar:
    """How far it is, on a terminal."""

    def __init__(self) -> None:
        self._live, self._next_s = sys.stderr.isatty(), 0.0

    def show(self, share: float, decisions: int) -> None:
        """Now and then."""
        now_s = time.monotonic()
        if self._live and now_s >= self._next_s:
            self._next_s = now_s + _TOLD_S
            full = round(min(1.0, share) * _BAR)
            bar = "#" * full + "-" * (_BAR - full)
            print(f"\r[{bar}] {share:4.0%}  {decisions} decisions ", end="", file=sys.stderr)
            sys.stderr.flush()

    def wipe(self) -> None:
        """It is over."""
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr)
