"""`regions.yaml` as a World, or everything that is wrong with it."""

import hashlib
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import yaml

from shared.regions import parts
from shared.regions.composing import MAX_BYTES, compose
from shared.regions.lint import Declared, findings
from shared.regions.model import EVERYWHERE, Policy, Region, World
from shared.regions.problems import Problem, RegionsRefused, errors
from shared.regions.reading import Item, Reader

SECTIONS = ("regions", "zones", "policies", "default_policy")
REQUIRED = ("regions", "policies")


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
    wanted = {name: _named(read, entries.get(name)) for name in SECTIONS[:3]}
    regions = {
        name: parts.region(read, item, check_time_zone=check_time_zones)
        for name, item in wanted["regions"].items()
    }
    zones = {name: parts.zone(read, item) for name, item in wanted["zones"].items()}
    policies = {name: parts.policy(read, item) for name, item in wanted["policies"].items()}
    default = read.word(entries.get("default_policy"))
    readable = {name: region for name, region in regions.items() if region is not None}
    world = _world(version, readable, zones, policies, default)
    home_only = (name for name, item in wanted["policies"].items() if parts.says_home_only(item))
    whole = None not in (*regions.values(), *zones.values()) and bool(regions)
    named = frozenset(zones), frozenset(policies), frozenset(home_only)
    return world, Declared(*named, whole=whole)


def _world(
    version: str,
    regions: dict[str, Region],
    zones: dict[str, frozenset[str] | None],
    policies: dict[str, Policy | None],
    default: str | None,
) -> World:
    law = {name: held for name, held in zones.items() if held is not None}
    law[EVERYWHERE] = frozenset(region.jurisdiction for region in regions.values())
    return World(
        version,
        MappingProxyType(regions),
        MappingProxyType(law),
        MappingProxyType({n: policy for n, policy in policies.items() if policy is not None}),
        default or "default",
    )


def _named(read: Reader, item: Item | None) -> dict[str, Item]:
    """The parts of a section by name; a section that is there has at least one."""
    if item is None:
        return {}
    entries = read.mapping(item)
    if entries == {}:
        read.refuse(item.path, "is empty", "name at least one, or leave zones out")
    return entries or {}


def _unreadable(path: Path, message: str, remedy: str, line: int = 1) -> Checked:
    return Checked(None, (Problem(str(path), line, "", message, remedy),))


def _world_of(checked: Checked) -> World:
    if checked.world is None:
        raise RegionsRefused(errors(checked.problems))
    return checked.world
