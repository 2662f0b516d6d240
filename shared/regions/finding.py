"""What a lint says, and what it needs to know of the file beside the world."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.regions.model import Policy, Rule
from shared.regions.problems import Severity, plain
from shared.regions.reading import Path

_MOST_NAMES = 12


class Finding(NamedTuple):
    """Something that makes no sense, and where."""

    path: Path
    message: str
    remedy: str
    severity: Severity = "error"


class Declared(NamedTuple):
    """What the file names, whether or not it could be read."""

    zones: frozenset[str]
    policies: frozenset[str]
    home_only: frozenset[str]
    """Policies that say with an empty list that they overflow nowhere."""
    whole: bool
    """All regions and zones could be read. Otherwise nothing is said of what is not there."""
    complete: bool = True
    """All policies and rules could be read."""


def zone_lists(part: Policy | Rule) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every list of zones in a policy or rule, and the way to it."""
    yield ("allow",), part.allow or ()
    yield ("forbid",), part.forbid
    yield ("prefer",), part.prefer or ()
    yield ("overflow", "zones"), () if part.overflow is None else part.overflow.zones
    for what, kept in part.keep.items():
        yield ("keep", what, "zones"), kept.zones


def listed(names: Iterable[str]) -> str:
    """The first few names; files of thousands are possible."""
    all_of_them = sorted(names)
    more = len(all_of_them) - _MOST_NAMES
    some = ", ".join(map(plain, all_of_them[:_MOST_NAMES]))
    return f"{some} and {more} more" if more > 0 else some
