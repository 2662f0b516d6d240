"""Sessions whose content is not kept beyond them: remembered on disk until it is gone everywhere.

A node that dies leaves such content behind; started again, it finds here what it has to delete. The
files hold no content: a session's name, and where something of it lies.
"""

import logging
import re
from pathlib import Path

import msgspec

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Traces(msgspec.Struct, frozen=True):
    """What has to be deleted at a session's end."""

    session: str
    subjects: tuple[str, ...]
    places: tuple[str, ...]


class Passing:
    """A folder of traces, one file a session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begun(self, traces: Traces) -> bool:
        """Before anything of it is kept. Whether it could be written down."""
        path = self._folder / traces.session
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(msgspec.json.encode(traces))
        except OSError as error:
            _log.error("what is kept of sessions cannot be noted: %s", error)
            return False
        return True

    def over(self, session: str) -> None:
        """Nothing is left of it anywhere."""
        (self._folder / session).unlink(missing_ok=True)

    def left(self) -> list[Traces]:
        """What an earlier start of the node did not delete. A file that is none is removed."""
        files = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        found = []
        for file in files:
            try:
                traces = msgspec.json.decode(file.read_bytes(), type=Traces)
            except (OSError, msgspec.DecodeError):
                traces = None
            if traces is not None and traces.session == file.name and _NAME.fullmatch(file.name):
                found.append(traces)
            else:
                _log.error("not a note of what is kept of a session: %s", file)
                file.unlink(missing_ok=True)
        return found
