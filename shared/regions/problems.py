"""What is wrong with a `regions.yaml`, in words that lead to the line and to the remedy."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong. Every text is one printable line."""

    file: str
    line: int
    """From 1."""
    key: str
    """The way to it, with dots: `policies.eu-only.allow`; empty for the whole file."""
    message: str
    remedy: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """`file:line: key: message; remedy`; a warning says so before its message."""
        key = f"{self.key}: " if self.key else ""
        warning = "warning: " if self.severity == "warning" else ""
        return f"{self.file}:{self.line}: {key}{warning}{self.message}; {self.remedy}"


class RegionsRefused(ValueError):
    """A file that is no world; `problems` holds every error in it, in the order of lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def errors(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Those that keep a file from being used."""
    return tuple(each for each in problems if each.severity == "error")


def shown(text: str, most: int = 60) -> str:
    """A text out of a file, quoted, on one printable line."""
    return ascii(text if len(text) <= most else text[:most] + "...")


def plain(name: str) -> str:
    """A name as it stands where it is short and printable, quoted where not."""
    return (
        name if name and name.isprintable() and len(name) <= 63 and " " not in name else shown(name)
    )
