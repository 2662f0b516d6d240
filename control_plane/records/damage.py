"""What can be wrong with a log, in words that say where, and what to do. Pure."""

from typing import ClassVar, Literal

import msgspec

from shared.errors import InvalidMessage

What = Literal[
    "no_log", "other_version", "truncated", "changed", "missing", "repeated", "out_of_order",
    "other_log", "unreadable", "other_plane",
]  # fmt: skip
_REMEDIES: dict[What, str] = {
    "no_log": "name a file that `heliovox-control records export` wrote",
    "other_version": "export it again with this version, or read it with the one that wrote it",
    "truncated": "copy it again, or export it again",
    "changed": "copy it again from where it was whole, or export it again",
    "missing": "copy it again from where it was whole, or export it again",
    "repeated": "copy it again from where it was whole, or export it again",
    "out_of_order": "copy it again from where it was whole, or export it again",
    "other_log": "simulate each log by itself",
    "unreadable": "export it again with this version",
    "other_plane": "export it again; somebody published under another's name",
}


class Damage(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    what: What
    at_byte: int
    block: int | None
    """Its number; None where that is not known."""
    message: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return _REMEDIES[self.what]

    def __str__(self) -> str:
        where = f"byte {self.at_byte}" + ("" if self.block is None else f", block {self.block}")
        return f"{where}: {self.message}"


class LogDamaged(InvalidMessage):
    """A log that is not as it was written; `damage` says how."""

    code: ClassVar[str] = "log_damaged"

    def __init__(self, file: str, damage: Damage) -> None:
        super().__init__(
            f"{file}: {damage}; {damage.remedy}, or go on without it: --partial",
            field="log",
            value=file,
            remedy=damage.remedy,
        )
        self.damage = damage

    def __reduce__(self) -> tuple[type["LogDamaged"], tuple[str, Damage]]:
        """So that one process can tell another."""
        return LogDamaged, (self.value or "", self.damage)
