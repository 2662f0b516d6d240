"""Values out of YAML nodes: each is checked, and every mistake is kept with its line.

A value that is wrong becomes None (or is left out of its list) and a Problem, so that one look at a
file finds all that is wrong with it. Words are taken as they are written: `no` is Norway.
"""

import difflib
import math
import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import yaml

from shared.regions.problems import Problem, Severity, plain, shown

Path = tuple[str, ...]

_NUMBER = re.compile(r"[-+]?([0-9]{1,12}(\.[0-9]{0,12})?|\.[0-9]{1,12})")
_WHOLE = re.compile(r"[0-9]{1,9}")
_STANDARD = "tag:yaml.org,2002:"
_NAMES = {yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "one value"}


class Item(NamedTuple):
    """A node, and the way to it."""

    node: yaml.Node
    path: Path


class Reader:
    """Reads one file's nodes; `problems` and `lines` grow with what it meets."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []
        self.lines: dict[Path, int] = {(): 1}
        """Where each key stands."""

    def refuse(
        self, path: Path, message: str, remedy: str, severity: Severity = "error", line: int = 0
    ) -> None:
        """Keeps a problem; without a line, at the nearest key above that stands in the file."""
        line = line or next(self.lines[up] for up in _upwards(path) if up in self.lines)
        key = ".".join(map(plain, path))
        self.problems.append(Problem(self._file, line, key, message, remedy, severity))

    def mapping(self, item: Item) -> dict[str, Item] | None:
        """The entries of a mapping, the first of those that are named twice; None for others."""
        node, path = item
        if not self._is(item, yaml.MappingNode, "map"):
            return None
        entries: dict[str, Item] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.refuse(path, "a key is not a word", "use a plain word as the key", line=line)
                continue
            name = key.value
            if name in entries:
                first = self.lines[(*path, name)]
                remedy = "keep one of the two"
                self.refuse((*path, name), f"stands in line {first} already", remedy, line=line)
                continue
            self.lines[(*path, name)] = line
            entries[name] = Item(value, (*path, name))
        return entries

    def section(
        self, item: Item, known: Collection[str], required: Collection[str] = ()
    ) -> dict[str, Item]:
        """A mapping with a fixed set of keys: others are refused, missing ones are named."""
        entries = self.mapping(item)
        if entries is None:
            return {}
        for name in [name for name in entries if name not in known]:
            self.refuse((*item.path, name), "unknown key", _instead(name, known))
            del entries[name]
        for name in required:
            if name not in entries:
                self.refuse((*item.path, name), "is missing", "write it")
        return entries

    def word(self, item: Item | None) -> str | None:
        """One value as it is written."""
        if item is None or not self._is(item, yaml.ScalarNode, "str int float bool timestamp"):
            return None
        return str(item.node.value)

    def words(self, item: Item | None) -> list[Item]:
        """The members of a list of words, each its own item; doubles are refused."""
        if item is None or not self._is(item, yaml.SequenceNode, "seq"):
            return []
        members: dict[str, Item] = {}
        for number, node in enumerate(item.node.value):
            member = Item(node, (*item.path, str(number)))
            self.lines[member.path] = node.start_mark.line + 1
            if (word := self.word(member)) is None:
                continue
            if word in members:
                self.refuse(
                    member.path, f"{shown(word)} stands in the list already", "name it once"
                )
            else:
                members[word] = member
        return list(members.values())

    def number(self, item: Item | None, least: float, most: float) -> float | None:
        """A decimal number within limits."""
        word = self._unquoted(item)
        if item is None or word is None:
            return None
        value = float(word) if _NUMBER.fullmatch(word) else math.nan
        if not least <= value <= most:
            remedy = f"use a number from {least:g} to {most:g}"
            self.refuse(item.path, f"{shown(word)} is not understood or out of range", remedy)
            return None
        return value

    def whole(self, item: Item | None, most: int) -> int | None:
        """A whole number from 0."""
        word = self._unquoted(item)
        if item is None or word is None:
            return None
        if not _WHOLE.fullmatch(word) or int(word) > most:
            remedy = f"use a whole number from 0 to {most}"
            self.refuse(item.path, f"{shown(word)} is not understood or out of range", remedy)
            return None
        return int(word)

    def _unquoted(self, item: Item | None) -> str | None:
        word = self.word(item)
        if item is None or word is None:
            return None
        if getattr(item.node, "style", None) is not None:
            self.refuse(item.path, f"{shown(word)} is text", "write the number without quotes")
            return None
        return word

    def _is(self, item: Item, kind: type[yaml.Node], tags: str) -> bool:
        """Whether a node is of the kind, and of no type of somebody's own (`!!python/...`)."""
        node, path = item
        if node.tag == f"{_STANDARD}null":
            self.refuse(path, "has no value", f"write {_NAMES[kind]}, or leave the key out")
            return False
        if not isinstance(node, kind):
            self.refuse(path, f"is {_NAMES[type(node)]}", f"write {_NAMES[kind]}")
            return False
        if node.tag not in {_STANDARD + tag for tag in tags.split()}:
            self.refuse(path, f"has the tag {shown(node.tag)}", "leave the tag out")
            return False
        return True


def _upwards(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(len(path), -1, -1))


def _instead(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:60], known, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"{guess}known here: {', '.join(known)}"
