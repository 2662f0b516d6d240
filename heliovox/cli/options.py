"""The options that several commands share: the form of audio, the session, where the caller is."""

import argparse
import re
from collections.abc import Sequence
from typing import get_args

from heliovox.cli.exits import UsageError
from heliovox.protocol.audio import AudioFormat, Encoding, rates_hz

_COORDINATES = re.compile(r"-?\d+(\.\d+)?,\s*-?\d+(\.\d+)?")


def add_session(parser: argparse.ArgumentParser) -> None:
    """The options that every kind of session has."""
    parser.add_argument("--language", default="en", help="what is spoken (default en)")
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    group = parser.add_argument_group("where the caller is, and what holds for him")
    group.add_argument(
        "--from",
        dest="place",
        metavar="LAT,LON",
        type=_place,
        help="degrees, north and east positive (default: the place of the caller's address)",
    )
    group.add_argument(
        "--country",
        metavar="CC",
        help="that the caller is in, for rules too: ISO 3166, two letters",
    )
    group.add_argument("--policy", metavar="NAME", help="of residency (default: the key's)")
    group.add_argument(
        "--caller",
        metavar="ID",
        help="who speaks, in your own words; kept with the words where the policy keeps them",
    )
    group.add_argument("--data", metavar="KIND", help="that it carries: health (default: general)")


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


def with_coordinates(argv: Sequence[str]) -> list[str]:
    """`--from -23.5,-46.6` as `--from=-23.5,-46.6`: argparse takes a minus for an option."""
    joined: list[str] = []
    for each in argv:
        if joined and joined[-1] == "--from" and _COORDINATES.fullmatch(each):
            joined[-1] = f"--from={each}"
        else:
            joined.append(each)
    return joined


def _place(text: str) -> tuple[float, float]:
    if not _COORDINATES.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: write it as 48.85,2.35")
    lat, lon = (float(part) for part in text.split(","))
    if abs(lat) > 90 or abs(lon) > 180:
        raise argparse.ArgumentTypeError(f"{text!r}: latitudes end at 90, longitudes at 180")
    return lat, lon
