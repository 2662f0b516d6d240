"""Regions out of YAML nodes, one at a time.

What is broken in a part is refused and replaced by a harmless value, so that the parts can be
looked at together all the same; nobody gets a world that has an error in it.
"""

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from heliovox.protocol.messages import Place
from shared.regions.model import Region, Tiers
from shared.regions.problems import shown
from shared.regions.reading import Item, Path, Reader
from shared.regions.words import certification, country, given, keys_of, listed
from shared.subjects import CENTRE, token

MOST_NODES = 100_000
MOST_USD = 100_000.0

SCHEMES = ("ws", "wss", "http", "https")
REQUIRED = ("place", "time_zone", "jurisdiction")
_RESERVED = frozenset({CENTRE, "all"})


def region(read: Reader, item: Item, *, check_time_zone: bool) -> Region | None:
    """One region; None where nobody could say under whose law it lies, or what it is good for."""
    name = item.path[-1]
    _check_region_name(read, name, item.path)
    entries = read.section(item, keys_of(Region), REQUIRED)
    jurisdiction = country(read, entries.get("jurisdiction"))
    place = _place(read, entries.get("place"))
    time_zone = read.word(entries.get("time_zone"))
    if check_time_zone and time_zone is not None and not is_time_zone(time_zone):
        remedy = "use an IANA name, such as Europe/Berlin"
        path = entries["time_zone"].path
        read.refuse(path, f"{shown(time_zone)} is no time zone that this machine knows", remedy)
    certifications, whole = listed(read, entries.get("certifications"), certification)
    fields: dict[str, Any] = {
        "endpoint": _endpoint(read, entries.get("endpoint")),
        "tiers": _tiers(read, entries.get("tiers")),
        "hourly_cost_usd": read.number(entries.get("hourly_cost_usd"), 0.0, MOST_USD),
        "certifications": certifications,
    }
    if jurisdiction is None or not whole:
        return None
    return Region(name, place or Place(0, 0), time_zone or "UTC", jurisdiction, **given(fields))


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
        remedy = f"use a URL that begins with {', '.join(f'{scheme}://' for scheme in SCHEMES)}"
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
    return parts.scheme in SCHEMES and bool(host) and clean and parts.username is None


def _tiers(read: Reader, item: Item | None) -> Tiers | None:
    if item is None:
        return None
    entries = read.section(item, keys_of(Tiers))
    counts = {name: read.whole(of, MOST_NODES) for name, of in entries.items()}
    return Tiers(**{name: 1 if count is None else count for name, count in counts.items()})
