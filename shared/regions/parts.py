"""Regions, zones and policies out of YAML nodes, one at a time.

What is broken in a part is refused and replaced by a harmless value, so that the parts can be
looked at together all the same; nobody gets a world that has an error in it.
"""

import re
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
import yaml

from heliovox.protocol.messages import Place
from shared.countries import country_places
from shared.regions.model import EVERYWHERE, Overflow, Policy, Region, Tiers, WhenFull
from shared.regions.problems import shown
from shared.regions.reading import Item, Path, Reader
from shared.subjects import CENTRE, token

MOST_NODES = 100_000
MOST_USD = 100_000.0
MOST_RTT_MS = 10_000.0
MOST_WAIT_S = 600.0

_SCHEMES = ("ws", "wss", "http", "https")
_WORD = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_RESERVED = frozenset({CENTRE, "all"})


def keys_of(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """What may stand in a section: the struct's fields; its name is the key above."""
    return tuple(name for name in struct.__struct_fields__ if name != "name")


def region(read: Reader, item: Item, *, check_time_zone: bool) -> Region | None:
    """One region; None where nobody could say under whose law it lies."""
    name = item.path[-1]
    _check_region_name(read, name, item.path)
    required = ("place", "time_zone", "jurisdiction")
    entries = read.section(item, keys_of(Region), required)
    jurisdiction = _jurisdiction(read, entries.get("jurisdiction"))
    place = _place(read, entries.get("place"))
    time_zone = read.word(entries.get("time_zone"))
    if check_time_zone and time_zone is not None and not is_time_zone(time_zone):
        remedy = "use an IANA name, such as Europe/Berlin"
        path = entries["time_zone"].path
        read.refuse(path, f"{shown(time_zone)} is no time zone that this machine knows", remedy)
    fields: dict[str, Any] = {
        "endpoint": _endpoint(read, entries.get("endpoint")),
        "tiers": _tiers(read, entries.get("tiers")),
        "hourly_cost_usd": read.number(entries.get("hourly_cost_usd"), 0.0, MOST_USD),
    }
    if jurisdiction is None:
        return None
    return Region(name, place or Place(0, 0), time_zone or "UTC", jurisdiction, **_given(fields))


def zone(read: Reader, item: Item) -> frozenset[str] | None:
    """A zone's jurisdictions; None where not all of them could be read."""
    name = item.path[-1]
    _check_word(read, name, item.path, "a zone")
    if name == EVERYWHERE:
        read.refuse(item.path, "is built in: it holds every region", "leave it out")
    before = len(read.problems)
    members = [_jurisdiction(read, member) for member in read.words(item)]
    if not members and len(read.problems) == before:
        read.refuse(item.path, "holds no jurisdiction", "name at least one, or leave the zone out")
    return frozenset(filter(None, members)) if len(read.problems) == before else None


def policy(read: Reader, item: Item) -> Policy | None:
    """A policy; None where its zones could not be read."""
    name = item.path[-1]
    _check_word(read, name, item.path, "a policy")
    entries = read.section(item, keys_of(Policy), ("allow",))
    allow, whole = _zones(read, entries.get("allow"))
    overflow = _overflow(read, entries.get("overflow"))
    fields: dict[str, Any] = {
        "when_full": _when_full(read, entries.get("when_full")),
        "wait_s": read.number(entries.get("wait_s"), 0.0, MOST_WAIT_S),
    }
    if not whole or overflow is None:
        return None
    return Policy(name, allow, overflow, **_given(fields))


def says_home_only(item: Item) -> bool:
    """Whether a policy says with an empty list that it overflows nowhere."""
    overflow = _under(item.node, "overflow")
    zones = _under(overflow, "zones")
    return isinstance(zones, yaml.SequenceNode) and not zones.value


def _under(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def is_time_zone(name: str) -> bool:
    """Whether the machine's time zone database has the name; without a database all names pass."""
    return _has_zone(name) or not _has_zone("UTC")


def _has_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found; no such name can be; a folder
        return False
    return True


def _check_region_name(read: Reader, name: str, path: Path) -> None:
    try:
        token(name)
    except ValueError:
        remedy = "use a-z, 0-9 and -, 63 at most: the name is part of NATS subjects"
        read.refuse(path, "cannot be a region's name", remedy)
    if name in _RESERVED:
        read.refuse(path, "is reserved: it stands for the centre in NATS subjects", "rename it")


def _check_word(read: Reader, name: str, path: Path, what: str) -> None:
    if not _WORD.fullmatch(name):
        read.refuse(path, f"cannot be the name of {what}", "use a-z, 0-9 and -, 63 at most")


def _jurisdiction(read: Reader, item: Item | None) -> str | None:
    word = read.word(item)
    if item is None or word is None:
        return None
    if word.upper() not in country_places() or not word.isascii() or word != word.lower():
        remedy = "use an ISO 3166 code of two letters in lower case, such as de"
        read.refuse(item.path, f"{shown(word)} is no jurisdiction", remedy)
        return None
    return word


def _place(read: Reader, item: Item | None) -> Place | None:
    if item is None:
        return None
    entries = read.section(item, keys_of(Place), keys_of(Place))
    lat = read.number(entries.get("lat"), -90.0, 90.0)
    lon = read.number(entries.get("lon"), -180.0, 180.0)
    return None if lat is None or lon is None else Place(lat, lon)


def _endpoint(read: Reader, item: Item | None) -> str | None:
    word = read.word(item)
    if item is None or word is None:
        return None
    if not _is_url(word):
        remedy = f"use a URL that begins with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}"
        read.refuse(item.path, f"{shown(word)} is no address of a node", remedy)
    return word


def _is_url(word: str) -> bool:
    try:
        parts = urlsplit(word)
        host = parts.hostname
        _ = parts.port  # raises where it is none
    except ValueError:
        return False
    clean = word.isprintable() and not set(word) & set(" \"'<>\\")
    return parts.scheme in _SCHEMES and bool(host) and clean and parts.username is None


def _tiers(read: Reader, item: Item | None) -> Tiers | None:
    if item is None:
        return None
    entries = read.section(item, keys_of(Tiers))
    counts = {name: read.whole(of, MOST_NODES) for name, of in entries.items()}
    return Tiers(**{name: 1 if count is None else count for name, count in counts.items()})


def _zones(read: Reader, item: Item | None) -> tuple[tuple[str, ...], bool]:
    """Names of zones, and whether all could be read."""
    before = len(read.problems)
    words = tuple(str(member.node.value) for member in read.words(item))
    return words, item is not None and len(read.problems) == before


def _overflow(read: Reader, item: Item | None) -> Overflow | None:
    """Nowhere, where nothing is written; None where it could not be read."""
    if item is None:
        return Overflow()
    entries = read.section(item, keys_of(Overflow), ("zones",))
    zones, whole = _zones(read, entries.get("zones"))
    limit_ms = read.number(entries.get("max_added_rtt_ms"), 0.0, MOST_RTT_MS)
    return Overflow(zones, limit_ms) if whole else None


def _when_full(read: Reader, item: Item | None) -> str | None:
    word = read.word(item)
    if item is None or word is None:
        return None
    if word not in get_args(WhenFull):
        remedy = f"use {' or '.join(get_args(WhenFull))}"
        read.refuse(item.path, f"{shown(word)} is not understood", remedy)
        return None
    return word


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
