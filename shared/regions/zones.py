"""Zones out of YAML nodes: lists of jurisdictions and of other zones, with what they leave out."""

import difflib
from collections.abc import Mapping
from typing import NamedTuple

import yaml

from shared.regions.model import EVERYWHERE
from shared.regions.problems import plain, shown
from shared.regions.reading import Item, Reader
from shared.regions.words import check_name, is_country

KEYS = ("include", "exclude")
MOST_NESTED = 32
"""Zones within zones: more is a mistake, and would be a risk to whoever works them out."""


class Zone(NamedTuple):
    """A zone as it is written."""

    item: Item
    include: tuple[Item, ...]
    exclude: tuple[Item, ...]
    readable: bool


def zone(read: Reader, item: Item) -> Zone:
    """One zone; its members are looked at when all zones are known."""
    before = len(read.problems)
    name = item.path[-1]
    check_name(read, name, item.path, "a zone")
    if name == EVERYWHERE:
        read.refuse(item.path, "is built in: it holds every region", "leave it out")
    if is_country(name):
        remedy = "rename it: the word stands for the country wherever zones are written"
        read.refuse(item.path, "has the name of an ISO 3166 code", remedy)
    if isinstance(item.node, yaml.MappingNode):
        entries = read.section(item, KEYS, KEYS[:1])
        include, exclude = read.words(entries.get("include")), read.words(entries.get("exclude"))
    else:
        include, exclude = read.words(item), []
    if not include and len(read.problems) == before:
        read.refuse(item.path, "holds no jurisdiction", "name at least one, or leave the zone out")
    return Zone(item, tuple(include), tuple(exclude), len(read.problems) == before)


class Resolver:
    """Works zones out into jurisdictions.

    Args:
        read: told of what is wrong.
        zones: all that the file names.
        everywhere: the jurisdictions of all regions; None where not all could be read.
    """

    def __init__(
        self, read: Reader, zones: Mapping[str, Zone], everywhere: frozenset[str] | None
    ) -> None:
        self._read, self._zones, self._everywhere = read, zones, everywhere
        self._worked_out: dict[str, frozenset[str] | None] = {}
        self._depth: dict[str, int] = {}
        self._way: list[str] = []
        """Of zones that are being worked out, each a member of the one before."""

    def all(self) -> dict[str, frozenset[str] | None]:
        """Jurisdictions by zone; None for those that are not to be known."""
        return {name: self.of(name) for name in self._zones}

    def of(self, name: str) -> frozenset[str] | None:
        """Those of one zone; told of mistakes once."""
        if name not in self._worked_out:
            self._way.append(name)
            self._worked_out[name] = self._work_out(self._zones[name])
            self._way.pop()
        return self._worked_out[name]

    def _work_out(self, zone: Zone) -> frozenset[str] | None:
        included = [self._member(each) for each in zone.include]
        excluded = [self._member(each) for each in zone.exclude]
        if not zone.readable or None in included or None in excluded or self._too_deep(zone):
            return None
        inside = frozenset().union(*filter(None, included))
        outside = frozenset().union(*filter(None, excluded))
        self._idle(zone, excluded, inside)
        if not inside - outside:
            remedy = "exclude less, include more, or leave the zone out"
            message = "holds no jurisdiction: all that it includes is excluded"
            self._read.refuse(zone.item.path, message, remedy)
            return None
        return inside - outside

    def _too_deep(self, zone: Zone) -> bool:
        members = (str(each.node.value) for each in (*zone.include, *zone.exclude))
        depth = 1 + max((self._depth.get(member, 0) for member in members), default=0)
        self._depth[zone.item.path[-1]] = depth
        if depth <= MOST_NESTED:
            return False
        self._read.refuse(zone.item.path, *_TOO_DEEP)
        return True

    def _idle(
        self, zone: Zone, excluded: list[frozenset[str] | None], inside: frozenset[str]
    ) -> None:
        for item, held in zip(zone.exclude, excluded, strict=True):
            if held is not None and not held & inside:
                message = f"excludes {plain(str(item.node.value))}, which it does not include"
                self._read.refuse(item.path, message, "leave it out", "warning")

    def _member(self, item: Item) -> frozenset[str] | None:
        word = str(item.node.value)
        if word == EVERYWHERE:
            return self._everywhere
        if is_country(word):
            return frozenset({word})
        if word in self._way:
            self._refuse_cycle(item, word)
            return None
        if len(self._way) > MOST_NESTED:  # before Python itself gives up
            self._read.refuse(item.path, *_TOO_DEEP)
            return None
        if word in self._zones:
            return self.of(word)
        self._refuse_unknown(item, word)
        return None

    def _refuse_cycle(self, item: Item, word: str) -> None:
        way = [*self._way[self._way.index(word) :], word]
        message = f"zones go round in a circle: {' -> '.join(map(plain, way))}"
        self._read.refuse(item.path, message, "take one of them out of the other")

    def _refuse_unknown(self, item: Item, word: str) -> None:
        near = difflib.get_close_matches(word[:60], [*self._zones, EVERYWHERE], n=1)
        guess = f"did you mean {plain(near[0])}? " if near else ""
        remedy = f"{guess}use an ISO 3166 code of two letters in lower case, or a zone's name"
        self._read.refuse(item.path, f"{shown(word)} is no jurisdiction and no zone", remedy)


_TOO_DEEP = (
    f"zones lie in zones, more than {MOST_NESTED} deep",
    "name jurisdictions, or zones of fewer levels",
)
