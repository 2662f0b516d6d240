"""What a long proof has found so far, kept in a file: the same command goes on from there.

It is only good for the same seed and the same sources: what another router decided proves nothing.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from prover.tally import Found, Tally

EVERY_S = 5.0
SOURCES = ("control_plane/fleet", "control_plane/placement", "shared/policy", "shared/regions",
           "shared/geography.py", "shared/capacity.py", "prover")  # fmt: skip
"""What decides and what judges."""


class JournalRefused(Exception):
    """A file that is no journal, or one of another proof."""


def fingerprint(root: Path) -> str:
    """Of all sources that a proof is about."""
    digest = hashlib.sha256()
    for name in SOURCES:
        folder = root / name
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Journal:
    """Portions of a proof that are done, and their tally.

    Args:
        path: of the file; None keeps nothing.
        seed: of the proof.
        sources: their fingerprint.

    Raises:
        JournalRefused: the file is there and cannot be gone on from.
    """

    def __init__(self, path: Path | None, seed: str, sources: str) -> None:
        self._path, self._seed, self._sources = path, seed, sources
        self.tally = Tally()
        self.done: set[int] = set()
        """Numbers of whole portions."""
        self._kept_s = time.perf_counter()
        if path is not None and path.exists():
            self._read(path)

    def add(self, number: int, tally: Tally) -> None:
        """A portion is done; now and then the file is written."""
        self.done.add(number)
        self.tally.add(tally)
        if time.perf_counter() - self._kept_s >= EVERY_S:
            self.keep()

    def keep(self) -> None:
        """Writes the file: whole, or not at all."""
        self._kept_s = time.perf_counter()
        if self._path is None:
            return
        content = {
            "seed": self._seed,
            "sources": self._sources,
            "done": _spans(self.done),
            "tally": vars(self.tally) | {"found": [asdict(found) for found in self.tally.found]},
        }
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(json.dumps(content, default=plain))
        new.replace(self._path)

    def _read(self, path: Path) -> None:
        try:
            content = json.loads(path.read_text())
            spans, told = content["done"], content["tally"]
            tally = Tally(**told)
            tally.counts, tally.reasons = Counter(told["counts"]), Counter(told["reasons"])
            tally.found = [Found(**found) for found in told["found"]]
            done = {number for first, last in spans for number in range(first, last + 1)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalRefused(f"{path} is no journal of a proof ({error}): remove it") from error
        for name, here in (("seed", self._seed), ("sources", self._sources)):
            if content.get(name) != here:
                raise JournalRefused(
                    f"{path} is of another proof ({name} {str(content.get(name))[:12]}, not "
                    f"{here[:12]}): name another file, or remove it"
                )
        self.tally, self.done = tally, done


def _spans(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each row of neighbours."""
    spans: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def plain(value: object) -> object:
    """What JSON has no word for."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
