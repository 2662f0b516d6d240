"""Which members of an archive may be unpacked: pure rules, apart from the archive's own code."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

MAX_MEMBERS = 20_000
"""The largest public voices carry about 400 files; this bounds time and inodes."""

MAX_UNPACKED_BYTES = 8 << 30
"""Twice the largest public model of our kind."""

MAX_NAME_BYTES = 240
"""Fits every file system that a node may have."""


Kind = Literal["file", "folder", "other"]
"""Links, devices and the like are `other`."""


@dataclass(frozen=True, slots=True)
class Member:
    """What an archive says of one of its members."""

    name: str
    kind: Kind
    size_bytes: int


def refusal(members: Sequence[Member]) -> str | None:
    """Why these members may not be unpacked, or None."""
    if len(members) > MAX_MEMBERS:
        return f"it holds {len(members)} members, more than {MAX_MEMBERS}"
    if (total := sum(member.size_bytes for member in members)) > MAX_UNPACKED_BYTES:
        return f"it would unpack to {total} bytes, more than {MAX_UNPACKED_BYTES}"
    for member in members:
        if member.kind == "other":
            return f"{member.name[:80]!r} is neither a file nor a folder"
        if not is_safe_name(member.name):
            return f"{member.name[:80]!r} would leave the folder it is unpacked into"
    return _repeated(members)


def is_safe_name(name: str) -> bool:
    """Does it stay below the folder it is joined to, on every system?"""
    parts = name.rstrip("/").split("/")
    if name.startswith("./"):
        parts = parts[1:]
    return all(map(_is_safe_part, parts)) and len(name.encode(errors="replace")) <= MAX_NAME_BYTES


def common_root(members: Sequence[Member]) -> str | None:
    """The one folder that holds every member, which is left out when unpacking."""
    paths = [_parts(member.name) for member in members]
    roots = {parts[0] for parts in paths if parts}
    loose = any(len(_parts(m.name)) == 1 and m.kind == "file" for m in members)
    return roots.pop() if len(roots) == 1 and not loose else None


def destination(name: str, root: str | None) -> PurePosixPath:
    """Where a member goes, relative to the model's folder; `.` for the root itself."""
    parts = _parts(name)
    return PurePosixPath(*(parts[1:] if root is not None else parts))


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name).parts


def _is_safe_part(part: str) -> bool:
    forbidden = set('\\:*?"<>|\0')
    printable = all(ord(character) >= 32 for character in part)
    return part not in {"", ".", ".."} and printable and not forbidden & set(part)


def _repeated(members: Sequence[Member]) -> str | None:
    seen: set[str] = set()
    for member in members:
        key = str(PurePosixPath(member.name)).lower()  # some file systems ignore case
        if member.kind == "file" and key in seen:
            return f"{member.name[:80]!r} is in it twice"
        seen.add(key)
    return None
