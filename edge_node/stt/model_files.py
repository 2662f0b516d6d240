"""A model's folder: which files it has, and whether they are what they should be."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from shared.errors import ModelRefused

Variant = Literal["fp32", "int8"]
_SUFFIXES: dict[Variant, str] = {"fp32": ".onnx", "int8": ".int8.onnx"}


class Card(msgspec.Struct, frozen=True):
    """model.yaml, all of it optional."""

    name: str | None = None
    languages: tuple[str, ...] = ("en",)
    sha256: dict[str, str] = {}
    """What the files' checksums must be."""
    graph: str = ""
    """The graph of sessions that name none."""
    tail_ms: int = 500
    """Silence behind the end of an utterance after which its last word is out. Adds to the latency
    of a flush; too short, and last words are lost."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A model's files, and the card that came with them."""

    path: Path
    card: Card

    @property
    def name(self) -> str:
        """As the card says, or else as the folder is called."""
        return self.card.name or self.path.name

    def file(self, name: str) -> Path:
        """Raises ModelRefused: no such file, or not what the card says."""
        path = self.path / name
        if not path.is_file():
            raise _refused(self.name, name, "is not there")
        wanted = self.card.sha256.get(name)
        if wanted is not None and sha256_of(path) != wanted:
            raise _refused(self.name, name, "has another sha256 than model.yaml says")
        return path

    def part(self, stem: str, variant: Variant) -> Path:
        """A network of the model: `model.onnx`, `encoder-99.int8.onnx`, ..."""
        if (path := self.find(stem, variant)) is None:
            raise _refused(self.name, stem + _SUFFIXES[variant], "is not there")
        return self.file(path.name)

    def find(self, stem: str, variant: Variant) -> Path | None:
        """The file of a part, whatever stands between its stem and its suffix, or None."""
        suffix = _SUFFIXES[variant]
        found = (path for path in self.path.glob(f"{stem}*{suffix}") if _is(path.name, variant))
        return min(found, default=None)


def open_folder(path: Path) -> Folder:
    """Raises ModelRefused: no folder, or a card that cannot be read."""
    if not path.is_dir():
        raise _refused(path.name, path.name, "is no folder with a model")
    card = path / "model.yaml"
    if not card.is_file():
        return Folder(path, Card())
    try:
        return Folder(path, msgspec.yaml.decode(card.read_bytes(), type=Card))
    except msgspec.DecodeError as error:
        raise _refused(path.name, card.name, f"cannot be read: {error}") from error


def sha256_of(path: Path) -> str:
    """The file's checksum, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is(name: str, variant: Variant) -> bool:
    return name.endswith(".int8.onnx") == (variant == "int8")


def _refused(model: str, file: str, why: str) -> ModelRefused:
    return ModelRefused(
        f"model {model}: {file} {why}",
        field="model",
        value=file,
        remedy="fetch the model again (`heliovox models pull`), or choose another variant",
    )
