"""A hub's first keys: one for callers, one for operators, each in a file of its own."""

import logging
from pathlib import Path

from control_plane.tenants.changes import NameTaken, add_record, new_key, new_record
from control_plane.tenants.keys import KeyRecord, Role
from shared.bus import KeyValues
from shared.files import write_private

_log = logging.getLogger(__name__)


async def make_first_keys(
    bucket: KeyValues, folder: Path, default_policy: str, now: str
) -> tuple[Path, ...]:
    """Makes what the hub has never had; the files of the keys that were made.

    A key is in its file before the hub knows it, so that a crash in between loses nothing.

    Args:
        bucket: of keys.
        folder: `caller.key` and `operator.key` are written here, 0600.
        default_policy: what both may use first; they may use any.
        now: UTC, ISO 8601.

    Raises:
        BusFailed, OSError.
    """
    made = []
    for role in _ROLES:
        if await bucket.get(role) is None:
            path = folder / f"{role}.key"
            if await _make(bucket, path, role, (default_policy, "*"), now):
                made.append(path)
                _log.info("made the first %s key: %s", role, path)
    return tuple(made)


_ROLES: tuple[Role, ...] = ("caller", "operator")


async def _make(
    bucket: KeyValues, path: Path, role: Role, policies: tuple[str, ...], now: str
) -> bool:
    left = _left(path)
    key = left or new_key()
    if left is None:
        write_private(path, f"{key}\n".encode())
    record: KeyRecord = new_record(role, role, (role,), policies, key, now)
    try:
        await add_record(bucket, record)
    except NameTaken:  # another control plane was faster; this key opens nothing
        _forget(path)
        return False
    return True


def _left(path: Path) -> str | None:
    """The key of an earlier start whose hub knows nothing of it any more."""
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
