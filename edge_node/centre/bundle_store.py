"""The node's bundle and what it has seen of them, on its disk: readable by its owner alone."""

import logging
from pathlib import Path

import msgspec

from edge_node.centre.succession import Mark
from shared.files import write_private

_log = logging.getLogger(__name__)

MARK_SUFFIX = ".seen"


class BundleStore:
    """Two files: the bundle, and the mark beside it, which outlives it.

    Args:
        path: of the bundle.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark_path = path.with_name(path.name + MARK_SUFFIX)
        self._marked = Mark()
        self.failed = 0
        """Writes that failed: after a restart the node knows less."""

    def bundle(self) -> bytes | None:
        """As it was kept, or None."""
        try:
            return self._path.read_bytes()
        except OSError:
            return None

    def mark(self) -> Mark:
        """As it was kept; an empty one where there is none."""
        try:
            self._marked = msgspec.json.decode(self._mark_path.read_bytes(), type=Mark)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.error("%s cannot be read: older bundles may pass: %s", self._mark_path, error)
        return self._marked

    def keep_mark(self, mark: Mark) -> None:
        """Before anything is admitted by what it is of. A failure is logged."""
        if mark != self._marked and self._write(self._mark_path, msgspec.json.encode(mark)):
            self._marked = mark

    def keep_bundle(self, token: bytes) -> None:
        """A failure is logged."""
        _ = self._write(self._path, token)

    def _write(self, path: Path, data: bytes) -> bool:
        try:
            write_private(path, data)
        except OSError as error:
            self.failed += 1
            _log.error("%s cannot be kept: %s", path.name, error)
            return False
        return True
