"""Regions and policies of now: the file is watched, a broken one is refused, the last one stays.

A file that is being written can look well when half of it is there, and lack the rules at its end.
So nothing is taken over that has changed since the last look.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from pathlib import Path

from shared.clock import Clock
from shared.policy import Policies, compile_policies
from shared.regions.composing import MAX_BYTES
from shared.regions.file import default_world_path, read_world
from shared.regions.model import World
from shared.regions.problems import RegionsRefused

_log = logging.getLogger(__name__)

LOOK_S = 1.0

Stamp = tuple[int, int, int]


class WorldNow:
    """What the regions file says, compiled.

    Args:
        text: of the file.
        name: of the file, for complaints.

    Raises:
        RegionsRefused: names file, line, key and remedy.
    """

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.world: World = read_world(text, name)
        self.policies: Policies = compile_policies(self.world)

    @property
    def regions(self) -> Collection[str]:
        """Their names."""
        return self.world.regions.keys()


def regions_path(named: Path | None) -> Path:
    """The regions file that was named, or the one that ships."""
    return default_world_path() if named is None else named


def read_text(path: Path) -> str:
    """A regions file. Raises OSError, ValueError where it is too large or no text."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path}: larger than {MAX_BYTES} bytes")
    return path.read_text(encoding="utf-8")


class RegionsFile:
    """A service: looks at the file once a second and takes over what passes.

    Args:
        path: of the file.
        changed: called with every new world.
    """

    def __init__(self, path: Path, clock: Clock, changed: Callable[[WorldNow], None]) -> None:
        """Raises RegionsRefused, OSError, ValueError: there is no last good one yet."""
        self._path, self._clock, self._changed = path, clock, changed
        self._seen = self._changing = _stamp(path)
        self.now = WorldNow(read_text(path), str(path))
        self.refused = 0
        """Changes of the file that were not taken over."""
        self.fault: str | None = None
        """Why the file as it is now is not what holds; None where it is."""

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        ready.set()
        while True:
            await self._clock.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Takes over what changed since, once it has been the same for two looks."""
        stamp, before = _stamp(self._path), self._changing
        self._changing = stamp
        if stamp == self._seen or stamp != before:
            return
        try:
            fresh = self._read(stamp)
        except _StillChangingError:
            return
        except (RegionsRefused, OSError, ValueError) as error:
            self._seen = stamp
            self.refused, self.fault = self.refused + 1, str(error)
            _log.error("regions file not taken over, the last good one stays: %s", error)
            return
        self._seen, self.fault = stamp, None
        if fresh.text != self.now.text:
            self.now = fresh
            _log.info("regions file taken over: version %s", fresh.world.version)
            self._changed(fresh)

    def _read(self, stamp: Stamp | None) -> WorldNow:
        """The file, if it is the one that the stamp is of. Raises as WorldNow, read_text."""
        text = read_text(self._path)
        if _stamp(self._path) != stamp:
            raise _StillChangingError
        return WorldNow(text, str(self._path))


class _StillChangingError(Exception):
    """Somebody wrote while we read."""


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
