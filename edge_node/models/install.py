"""Puts a model's files into the store: unpacked aside, completed, moved in whole."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from edge_node.models.catalog import Artefact, Entry
from edge_node.models.download import PullFailed
from edge_node.models.members import Member, refusal
from edge_node.models.store import Installed, Store
from edge_node.models.sums import write_sums
from edge_node.models.unpack import copy_file, unpack_tar, unpack_zip
from shared.errors import ModelRefused

PARTS = ".parts"
"""The folder, within the store's, of downloads that have begun."""


def install(store: Store, entry: Entry, files: Sequence[tuple[Artefact, Path]]) -> Installed:
    """Unpacks artefacts, each verified by the caller, and installs what comes out.

    Raises ModelRefused for a bad archive, or where a file that the entry names is not in it.
    """
    with _staging(store) as staging:
        for artefact, file in files:
            _unpack(artefact, file, staging)
        return _move_in(store, entry, staging)


def install_plain(store: Store, entry: Entry, folder: Path) -> Installed:
    """Installs a copy of an unpacked model. Raises ModelRefused likewise."""
    with _staging(store) as staging:
        _copy_plain(folder, staging)
        return _move_in(store, entry, staging)


@contextmanager
def alone(store: Store) -> Iterator[None]:
    """One pull at a time; also clears what a pull that died left unpacked."""
    (store.folder / PARTS).mkdir(parents=True, exist_ok=True)
    with (store.folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PullFailed(
                f"another pull is at work in {store.folder}",
                field="folder",
                value=store.folder,
                remedy="wait until it has ended",
            ) from error
        for left in store.folder.glob(".staging-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _unpack(artefact: Artefact, file: Path, staging: Path) -> None:
    if artefact.format == "tar":
        unpack_tar(file, staging)
    elif artefact.format == "zip":
        unpack_zip(file, staging)
    else:
        copy_file(file, staging, artefact.file_name)


def _move_in(store: Store, entry: Entry, staging: Path) -> Installed:
    """The model appears whole, or not at all; a process that has the old one open keeps it."""
    if missing := [path for path in entry.files.values() if not (staging / path).exists()]:
        raise ModelRefused(
            f"{entry.name} came without {', '.join(missing)}",
            field="files",
            value=", ".join(missing),
            remedy="is it the right archive? compare its content with the catalogue",
        )
    _write_card(entry, staging)
    write_sums(staging)
    staging.chmod(0o755)  # a temporary folder is its maker's alone; a service may run as another
    target, old = store.place(entry.name), staging.with_name(staging.name + ".old")
    if target.exists():
        target.rename(old)
    staging.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return store.find(entry.name)


def _write_card(entry: Entry, staging: Path) -> None:
    """What the engine must know and public archives do not say; a card that came with it stands."""
    if not (card := staging / "model.yaml").exists():
        card.write_text(yaml.safe_dump({"name": entry.name, "languages": list(entry.languages)}))


def _copy_plain(folder: Path, staging: Path) -> None:
    """Files and folders alone: what could not come out of an archive does not come this way."""
    paths = sorted(folder.rglob("*"))
    if reason := refusal([_member(path, folder) for path in paths]):
        raise ModelRefused(
            f"{folder} cannot be imported: {reason}",
            field="folder",
            value=folder,
            remedy="leave only the model's own files in it",
        )
    for path in paths:
        target = staging / path.relative_to(folder)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            shutil.copyfile(path, target)


def _member(path: Path, folder: Path) -> Member:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink() or not (path.is_dir() or path.is_file()):
        return Member(name, "other", 0)
    size = 0 if path.is_dir() else path.stat().st_size
    return Member(name, "folder" if path.is_dir() else "file", size)


@contextmanager
def _staging(store: Store) -> Iterator[Path]:
    """A folder on the store's own file system, so that moving in is one rename."""
    folder = Path(tempfile.mkdtemp(prefix=".staging-", dir=store.folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
