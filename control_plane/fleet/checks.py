"""Is a report believable? A broken node must not break the centre, nor draw callers to itself."""

import math
import re
from collections.abc import Iterable
from typing import NoReturn

from control_plane.fleet.states import TIERS
from shared.capacity import CapacityReport
from shared.errors import InvalidMessage
from shared.subjects import token

MOST_SESSIONS = 100_000
"""On one node. A hundred times what one accelerator of today carries."""
MOST_CHUNKS = 10_000_000
MOST_STEP_MS = 600_000.0
MOST_KINDS = 16
MOST_NAMES = 256
"""Languages, models or voices of one node."""
LONGEST_NAME = 128
LONGEST_URL = 512
MOST_COUNTER = 2**53
_BOOT = re.compile(r"[\x21-\x7e]{1,64}")
_URL = re.compile(r"wss?://[\x21-\x7e]+")


def numbers_fit(report: CapacityReport) -> bool:
    """Whether every number can be that is none of its words: quicker than to name one that cannot.

    NaN is within no bounds.
    """
    for room in report.kinds.values():
        if not (0 <= room.held <= MOST_SESSIONS and 0 <= room.fits <= MOST_SESSIONS):
            return False
    return (
        0 <= report.seq <= MOST_COUNTER
        and -MOST_COUNTER <= report.at_ms <= MOST_COUNTER
        and 0 <= report.reserved <= MOST_SESSIONS
        and 0 <= report.queue <= MOST_CHUNKS
        and 0.0 <= report.step_p50_ms <= MOST_STEP_MS
        and 0.0 <= report.step_p95_ms <= MOST_STEP_MS
    )


def check_report(report: CapacityReport) -> None:
    """Nothing. Raises InvalidMessage that names the first field that cannot be."""
    _token("node", report.node)
    _token("region", report.region)
    if not _BOOT.fullmatch(report.boot):
        _refuse("boot", report.boot, "use 1 to 64 printable characters without spaces")
    if not (_URL.fullmatch(report.url) and len(report.url) <= LONGEST_URL):
        _refuse("url", report.url, f"use ws:// or wss:// and {LONGEST_URL} characters at most")
    if report.tier not in TIERS:
        _refuse("tier", report.tier, f"use one of {', '.join(TIERS)}")
    _numbers(report)
    _kinds(report)
    for field, names in (
        ("languages", report.languages),
        ("models", report.models),
        ("voices", report.voices),
    ):
        _names(field, names, MOST_NAMES)


def _numbers(report: CapacityReport) -> None:
    _count("seq", report.seq, MOST_COUNTER)
    if abs(report.at_ms) > MOST_COUNTER:
        _refuse("at_ms", report.at_ms, "use milliseconds since 1970")
    _count("limit", report.limit, MOST_SESSIONS)
    _count("reserved", report.reserved, MOST_SESSIONS)
    _count("queue", report.queue, MOST_CHUNKS)
    _count("faults", report.faults, MOST_COUNTER)
    _time("step_p50_ms", report.step_p50_ms)
    _time("step_p95_ms", report.step_p95_ms)


def _kinds(report: CapacityReport) -> None:
    _names("kinds", report.kinds, MOST_KINDS)
    for kind, room in report.kinds.items():
        _count(f"kinds.{kind}.held", room.held, MOST_SESSIONS)
        _count(f"kinds.{kind}.fits", room.fits, MOST_SESSIONS)


def _token(field: str, name: str) -> None:
    try:
        token(name)
    except ValueError:
        _refuse(field, name, "use a-z, 0-9 and -, 63 at most")


def _count(field: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        _refuse(field, value, f"use 0 to {most}")


def _time(field: str, value: float) -> None:
    if not (math.isfinite(value) and 0.0 <= value <= MOST_STEP_MS):
        _refuse(field, value, f"use 0 to {MOST_STEP_MS:g} milliseconds")


def _names(field: str, names: Iterable[str], most: int) -> None:
    names = tuple(names)
    if len(names) > most:
        _refuse(field, len(names), f"name {most} at most")
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME:
            _refuse(field, name, f"use names of 1 to {LONGEST_NAME} characters")


def _refuse(field: str, value: object, remedy: str) -> NoReturn:
    raise InvalidMessage(
        f"a report's {field} cannot be {value!s:.80}", field=field, value=value, remedy=remedy
    )
