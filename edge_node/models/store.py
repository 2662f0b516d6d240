"""Where models live: those that ship within the package, and those pulled into a folder."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import platformdirs

from edge_node.models.catalog import Catalog, Entry, parse_catalog
from edge_node.models.roles import role_of
from edge_node.models.sums import SUMS_FILE, problems
from shared.errors import Unsupported

_PACKAGE = Path(str(resources.files("edge_node.models")))
_HIDDEN = {SUMS_FILE, "model.yaml", "LICENSE", "README.md"}


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that can be loaded now."""

    entry: Entry
    folder: Path
    files: dict[str, Path]
    """Role -> absolute path."""


@cache
def catalog() -> Catalog:
    """The catalogue that ships with this version."""
    path = _PACKAGE / "catalog.yaml"
    return parse_catalog(path.read_text(), str(path))


def catalog_with(folder: Path) -> Catalog:
    """The catalogue that ships, and below it the entries of `catalog.yaml` in the store's folder.

    That is how an operator adds a model of his own. Raises ModelRefused where his is malformed.
    """
    if not (path := folder / "catalog.yaml").is_file():
        return catalog()
    return catalog().joined(parse_catalog(path.read_text(errors="replace"), str(path)))


def embedded_folder(name: str) -> Path:
    """Where a model that ships lives; the folder need not exist (a checkout before training)."""
    return _PACKAGE / "embedded" / name


def default_folder() -> Path:
    """Where pulled models go unless a setting says otherwise."""
    return platformdirs.user_data_path("heliovox") / "models"


class Store:
    """The models of one machine."""

    def __init__(self, folder: Path | None = None, known: Catalog | None = None) -> None:
        """`folder` holds pulled models; it is made when one is pulled."""
        self.folder = (folder or default_folder()).absolute()
        self.catalog = known or catalog_with(self.folder)

    def place(self, name: str) -> Path:
        """Where the model is, or would be. Raises Unsupported for a name not in the catalogue."""
        entry = self.catalog.find(name)
        return embedded_folder(name) if entry.embedded else self.folder / name

    def installed(self, name: str) -> Installed | None:
        """The model, or None where it is known but not here."""
        entry, folder = self.catalog.find(name), self.place(name)
        files = _files(entry, folder)
        return Installed(entry, folder, files) if files else None

    def find(self, name: str) -> Installed:
        """The model. Raises Unsupported, with the way to get it, where it is not here."""
        if (model := self.installed(name)) is not None:
            return model
        raise Unsupported(
            f"model {name} is not on this machine",
            field="model",
            value=name,
            remedy=f"heliovox models pull {name}",
        )

    def recogniser(self, name: str) -> Installed:
        """The model, which must be a recogniser. Raises Unsupported otherwise."""
        if (task := self.catalog.find(name).task) != "recognition":
            raise Unsupported(
                f"{name} is for {task}, not a recogniser",
                field="model",
                value=name,
                remedy="choose a model for recognition: heliovox models list",
            )
        return self.find(name)

    def verify(self, name: str) -> list[str]:
        """What differs from what was recorded when the model came; empty where nothing does."""
        return problems(self.find(name).folder)


def find(name: str) -> Path:
    """The folder of a model in the default store. Raises Unsupported where it is not here."""
    return Store().find(name).folder


def _files(entry: Entry, folder: Path) -> dict[str, Path]:
    """Role -> path of what is there; empty where a file that the entry names is missing."""
    if not folder.is_dir():
        return {}
    if entry.files:
        named = {role: folder / path for role, path in entry.files.items()}
        return named if all(path.exists() for path in named.values()) else {}
    loose = sorted(path for path in folder.iterdir() if path.name not in _HIDDEN)
    return {role_of(path.name): path for path in loose if path.is_file()}
