"""`regions.yaml` as a World, or everything that is wrong with it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import yaml

from shared.regions.composing import MAX_BYTES, compose
from shared.regions.finding import Declared
from shared.regions.lint import findings
from shared.regions.model import EVERYWHERE, World
from shared.regions.parts import region
from shared.regions.policies import policy, ranking, rule, says_home_only
from shared.regions.problems import Problem, RegionsRefused, errors
from shared.regions.reading import Item, Reader
from shared.regions.weights import waiting
from shared.regions.zones import Resolver, zone

SECTIONS = ("regions", "zones", "policies", "rules", "ranking", "waiting", "default_policy")
REQUIRED = ("regions", "policies")
NAMED = ("regions", "zones", "policies", "rules")
"""Sections that hold parts by name."""
T = TypeVar("T")


class Checked(NamedTuple):
    """A world, and what is to be said of it."""

    world: World | None
    """None where there are errors."""
    problems: tuple[Problem, ...]
    """Errors and warnings, by line."""


def default_world_path() -> Path:
    """The world that ships with Heliovox."""
    return Path(__file__).with_name("regions.yaml")


def load_world(path: Path) -> World:
    """The world of a file. Raises RegionsRefused, also where it cannot be read."""
    return _world_of(check_file(path))


def read_world(text: str, name: str, *, check_time_zones: bool = True) -> World:
    """The world that a text describes.

    Args:
        text: as in `regions.yaml`.
        name: of the file, for its problems.
        check_time_zones: whether names of time zones must be known to this machine. Not where a
            world was published already: an older database must not make a node refuse it.

    Raises:
        RegionsRefused: holds every error, each with line, key, and remedy.
    """
    return _world_of(check_text(text, name, check_time_zones=check_time_zones))


def check_file(path: Path) -> Checked:
    """All that is wrong with a file, and its world where nothing is that matters."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode(errors="replace" if len(content) > MAX_BYTES else "strict")
    except OSError as error:
        return _unreadable(path, f"cannot be read: {error.strerror}", "name a file that is there")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return _unreadable(path, "is not UTF-8", "save it as UTF-8", line)
    return check_text(text, str(path))


def check_text(text: str, name: str, *, check_time_zones: bool = True) -> Checked:
    """All that is wrong with a text, and its world where nothing is that matters."""
    root = compose(text, name)
    if isinstance(root, Problem):
        return Checked(None, (root,))
    version = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    read = Reader(name)
    world, declared = _parts(read, root, version, check_time_zones=check_time_zones)
    for path, message, remedy, severity in findings(world, declared):
        read.refuse(path, message, remedy, severity)
    problems = tuple(sorted(read.problems, key=lambda each: each.line))
    return Checked(None if errors(problems) else world, problems)


def _parts(
    read: Reader, root: yaml.Node, version: str, *, check_time_zones: bool
) -> tuple[World, Declared]:
    entries = read.section(Item(root, ()), SECTIONS, REQUIRED)
    wanted = {name: _named(read, entries.get(name)) for name in NAMED}
    regions = {
        name: region(read, item, check_time_zone=check_time_zones)
        for name, item in wanted["regions"].items()
    }
    here = bool(regions) and None not in regions.values()
    everywhere = frozenset(one.jurisdiction for one in regions.values() if one is not None)
    written = {name: zone(read, item) for name, item in wanted["zones"].items()}
    zones = Resolver(read, written, everywhere if here else None).all()
    policies = {name: policy(read, item) for name, item in wanted["policies"].items()}
    rules = {name: rule(read, item) for name, item in wanted["rules"].items()}
    world = World(
        version,
        _readable(regions),
        MappingProxyType({**_readable(zones), EVERYWHERE: everywhere}),
        _readable(policies),
        read.word(entries.get("default_policy")) or "default",
        _readable(rules),
        ranking(read, entries.get("ranking")),
        waiting(read, entries.get("waiting")),
    )
    home_only = (name for name, item in wanted["policies"].items() if says_home_only(item))
    return world, Declared(
        frozenset(zones),
        frozenset(policies),
        frozenset(home_only),
        whole=here and None not in zones.values(),
        complete=None not in (*policies.values(), *rules.values()),
    )


def _readable(parts: dict[str, T | None]) -> Mapping[str, T]:
    return MappingProxyType({name: part for name, part in parts.items() if part is not None})


def _named(read: Reader, item: Item | None) -> dict[str, Item]:
    """The parts of a section by name; a section that is there has at least one."""
    if item is None:
        return {}
    entries = read.mapping(item)
    if entries == {}:
        read.refuse(item.path, "is empty", "name at least one, or leave it out")
    return entries or {}


def _unreadable(path: Path, message: str, remedy: str, line: int = 1) -> Checked:
    return Checked(None, (Problem(str(path), line, "", message, remedy),))


def _world_of(checked: Checked) -> World:
    if checked.world is None:
        raise RegionsRefused(errors(checked.problems))
    return checked.world
