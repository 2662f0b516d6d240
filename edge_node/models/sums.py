"""Checksums of files, and the SHA256SUMS that stands in every model's folder.

The format is that of sha256sum, so that an operator can check a folder without us. A model that
ships gets its record by `python -m edge_node.models.sums FOLDER` when it is added or changed.
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

SUMS_FILE = "SHA256SUMS"
_BLOCK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """The hex digest of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def sums_of(folder: Path) -> dict[str, str]:
    """Relative path -> digest of every file below `folder` but the sums themselves."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS_FILE)
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def write_sums(folder: Path) -> None:
    """Records what is there now."""
    (folder / SUMS_FILE).write_text(format_sums(sums_of(folder)))


def format_sums(sums: Mapping[str, str]) -> str:
    """As sha256sum prints it."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))


def read_sums(folder: Path) -> dict[str, str] | None:
    """What was recorded, or None where nothing was."""
    if not (path := folder / SUMS_FILE).is_file():
        return None
    lines = (line.split(maxsplit=1) for line in path.read_text(errors="replace").splitlines())
    return {line[1].lstrip("*"): line[0] for line in lines if len(line) == 2}


def problems(folder: Path) -> list[str]:
    """What differs from the record; empty where all is as it was."""
    if (recorded := read_sums(folder)) is None:
        return [f"no {SUMS_FILE}: nothing is known of these files"]
    found = sums_of(folder)
    missing = [f"{name} is missing" for name in recorded if name not in found]
    changed = [f"{n} has changed" for n, s in recorded.items() if found.get(n, s) != s]
    added = [f"{name} is not recorded" for name in found if name not in recorded]
    return sorted(missing + changed + added)


if __name__ == "__main__":
    for named in sys.argv[1:]:
        write_sums(Path(named))
