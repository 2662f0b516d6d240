"""Unpacks tar and zip archives into an empty folder: everything checked first, then counted."""

import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST, EINVAL, EISDIR, ENAMETOOLONG, ENOTDIR
from pathlib import Path
from typing import IO

from edge_node.models.members import (
    MAX_UNPACKED_BYTES,
    Kind,
    Member,
    common_root,
    destination,
    refusal,
)
from shared.errors import ModelRefused

_BLOCK_BYTES = 1 << 20
_ARCHIVES_FAULT = {None, EINVAL, EEXIST, EISDIR, ENOTDIR, ENAMETOOLONG}
"""Errors of the system that follow from offsets and names within an archive."""


def unpack_tar(archive: Path, folder: Path) -> None:
    """Unpacks a tar of any compression; a single folder around everything is left out.

    Raises:
        ModelRefused: not a whole tar, or a member that may not be unpacked. Nothing is written
            outside `folder`; what is in it then is to be thrown away.
    """
    with _refusing_damage(archive), tarfile.open(archive, "r:*") as tar:
        infos = tar.getmembers()
        members = [Member(info.name, _tar_kind(info), info.size) for info in infos]
        root = _checked(archive, members)
        for info, member in zip(infos, members, strict=True):
            stream = tar.extractfile(info) if member.kind == "file" else None
            _write(stream, member, folder, root)


def unpack_zip(archive: Path, folder: Path) -> None:
    """The same for a zip. Raises ModelRefused likewise, also for encrypted members."""
    with _refusing_damage(archive), zipfile.ZipFile(archive) as file:
        infos = file.infolist()
        members = [Member(info.filename, _zip_kind(info), info.file_size) for info in infos]
        root = _checked(archive, members)
        for info, member in zip(infos, members, strict=True):
            if member.kind == "folder":
                _write(None, member, folder, root)
            else:
                with file.open(info) as stream:
                    _write(stream, member, folder, root)


def copy_file(source: Path, folder: Path, name: str) -> None:
    """A model that is a single file and no archive."""
    shutil.copyfile(source, folder / name)


def _checked(archive: Path, members: list[Member]) -> str | None:
    if not members:
        raise _refused(archive, "it is empty")
    if reason := refusal(members):
        raise _refused(archive, reason)
    return common_root(members)


def _write(stream: IO[bytes] | None, member: Member, folder: Path, root: str | None) -> None:
    target = folder / destination(member.name, root)
    if stream is None:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    left = min(member.size_bytes, MAX_UNPACKED_BYTES)
    with target.open("xb") as out:
        while block := stream.read(min(_BLOCK_BYTES, left + 1)):
            left -= len(block)
            if left < 0:
                raise tarfile.ReadError(f"{member.name!r} holds more than it says")
            out.write(block)
    if left:
        raise tarfile.ReadError(f"{member.name!r} ends early")


def _tar_kind(info: tarfile.TarInfo) -> Kind:
    return "file" if info.isreg() else "folder" if info.isdir() else "other"


def _zip_kind(info: zipfile.ZipInfo) -> Kind:
    mode = info.external_attr >> 16
    if info.flag_bits & 1 or (stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))):
        return "other"  # encrypted, a link, a device
    return "folder" if info.is_dir() else "file"


@contextmanager
def _refusing_damage(archive: Path) -> Iterator[None]:
    """Whatever a damaged archive makes the standard library raise becomes one typed error."""
    try:
        yield
    except ModelRefused:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in _ARCHIVES_FAULT:
            raise  # the disk's trouble, not the archive's
        raise _refused(archive, str(error) or type(error).__name__) from error


def _refused(archive: Path, reason: str) -> ModelRefused:
    return ModelRefused(
        f"{archive.name} cannot be unpacked: {reason}",
        field="archive",
        value=archive.name,
        remedy="fetch it again, or report it to whoever publishes it",
    )
