"""Brings a model into the store, over the network or from a folder, verified before unpacked."""

from pathlib import Path

from edge_node.models.catalog import Artefact, Entry
from edge_node.models.download import Network, Progress, download
from edge_node.models.install import PARTS, alone, install, install_plain
from edge_node.models.store import Installed, Store
from edge_node.models.trust import TrustBook
from shared.errors import ModelRefused, Unsupported, VoiceError


def silent(done_bytes: int, total_bytes: int | None) -> None:
    """Progress that nobody watches."""


def pull(
    store: Store,
    name: str,
    network: Network,
    *,
    trust_new: bool = False,
    progress: Progress = silent,
) -> Installed:
    """Fetches a model of the catalogue and installs it; one that is here is replaced.

    Raises:
        Unsupported: unknown, or part of the package.
        PullFailed: the network, or another pull at the same time.
        ModelRefused: a checksum that is unknown or wrong, a bad archive, files missing in it.
    """
    entry = _pullable(store, name)
    book = TrustBook(store.folder)
    with alone(store):
        for artefact in entry.artefacts:
            book.demand(artefact, trust_new=trust_new)
        files = [(a, _fetched(store, a, book, network, progress)) for a in entry.artefacts]
        installed = install(store, entry, files)
        for artefact, part in files:
            book.learn(artefact, part)
            part.unlink()
    return installed


def import_folder(store: Store, name: str, folder: Path, *, trust_new: bool = False) -> Installed:
    """Installs a model from a folder, for machines without a network.

    The folder holds either the artefacts under the catalogue's file names, which are verified as
    if they had been fetched, or the model's files as they are unpacked, whose checksums nobody
    knows: these need `trust_new`. Raises as `pull` does.
    """
    entry, book = _pullable(store, name), TrustBook(store.folder)
    if not folder.is_dir():
        raise Unsupported(
            f"{folder} is no folder", field="folder", value=folder, remedy="name the folder"
        )
    with alone(store):
        if all((folder / artefact.file_name).is_file() for artefact in entry.artefacts):
            files = [(a, _vouched(a, folder, book, trust_new)) for a in entry.artefacts]
            installed = install(store, entry, files)
            for artefact, file in files:
                book.learn(artefact, file)
            return installed
        if not trust_new:
            raise _unvouched(entry, folder)
        return install_plain(store, entry, folder)


def _fetched(
    store: Store, artefact: Artefact, book: TrustBook, network: Network, progress: Progress
) -> Path:
    """A part begun earlier may stem from another file: if it grew up wrong, once more afresh."""
    part = store.folder / PARTS / artefact.file_name
    resumed = part.exists()
    url = network.address(artefact.url, artefact.file_name)
    download(url, part, artefact.size_bytes, network, progress)
    try:
        book.check(artefact, part)
    except ModelRefused:
        part.unlink()
        if not resumed:
            raise
        return _fetched(store, artefact, book, network, progress)
    return part


def _vouched(artefact: Artefact, folder: Path, book: TrustBook, trust_new: bool) -> Path:  # noqa: FBT001 private
    book.demand(artefact, trust_new=trust_new)
    book.check(artefact, folder / artefact.file_name)
    return folder / artefact.file_name


def _pullable(store: Store, name: str) -> Entry:
    entry = store.catalog.find(name)
    if entry.embedded:
        raise Unsupported(
            f"{name} ships with this version and is not pulled",
            field="model",
            value=name,
            remedy="use it as it is",
        )
    return entry


def _unvouched(entry: Entry, folder: Path) -> VoiceError:
    wanted = ", ".join(artefact.file_name for artefact in entry.artefacts)
    return ModelRefused(
        f"{folder} does not hold {wanted}, and no checksum is known of what it holds",
        field="folder",
        value=folder,
        remedy=f"put {wanted} there, or pass --trust-new to take the files as they are",
    )
