"""What models there are and what is known of each: the catalogue's form, strictly read."""

from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_node.models.members import is_safe_name
from shared.errors import ModelRefused, Unsupported

Task = Literal["recognition", "synthesis", "vad"]
Family = Literal["nemo_ctc", "transducer", "vits", "kokoro", "heliovox_voice", "silero"]
"""How the files are loaded: which engine, which constructor."""

ArchiveFormat = Literal["tar", "zip", "file"]


def _safe(path: str) -> str:
    if not is_safe_name(path):
        raise ValueError(f"{path!r} leaves the model's folder")
    return path


RelativePath = Annotated[str, AfterValidator(_safe)]


class Strict(BaseModel):
    """Frozen, and unknown names are an error: a misspelt field must not pass for a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Artefact(Strict):
    """One file to fetch."""

    url: str = Field(pattern=r"^https?://[^\s]+$")
    sha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    """null where nobody could confirm one: it is then fetched only when told to trust it."""
    size_bytes: int | None = Field(default=None, gt=0)
    format: ArchiveFormat = "tar"

    @property
    def file_name(self) -> str:
        """The last part of the address: the name in a mirror and in an import folder."""
        return self.url.split("?", 1)[0].rsplit("/", 1)[-1]


class Entry(Strict):
    """One model."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    task: Task
    family: Family
    title: str
    languages: tuple[str, ...] = Field(min_length=1, strict=False)
    sample_rate: int = Field(gt=0)
    chunk_ms: int | None = Field(default=None, gt=0)
    """How much audio a step of a streaming recogniser takes, where known."""
    right_context_ms: int | None = Field(default=None, ge=0)
    """How far beyond a sample a recogniser listens before it decides, where known."""
    parameters: int | None = Field(default=None, gt=0)
    licence: str
    source: str
    """Where the licence and the model's own card are to be read."""
    embedded: bool = False
    """Ships within the package."""
    artefacts: tuple[Artefact, ...] = Field(default=(), strict=False)
    files: dict[str, RelativePath] = Field(default_factory=dict)
    """Role -> path in the model's folder. Where empty, roles follow from the names there."""

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Self:
        if self.embedded == bool(self.artefacts):
            raise ValueError(f"{self.name}: either embedded or with artefacts to fetch, not both")
        return self

    @property
    def size_bytes(self) -> int | None:
        """What pulling it transfers; None where a part's size is unknown."""
        sizes = [artefact.size_bytes for artefact in self.artefacts]
        return None if not sizes or None in sizes else sum(size or 0 for size in sizes)

    @property
    def checksums_known(self) -> bool:
        """May it be pulled without being told to trust what comes?"""
        return all(artefact.sha256 for artefact in self.artefacts)


class Catalog(Strict):
    """All entries, in the order of the file."""

    models: tuple[Entry, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [entry.name for entry in self.models]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"more than one model is named {', '.join(twice)}")
        return self

    def joined(self, other: "Catalog") -> "Catalog":
        """Both; where a name is in both, the entry here stands."""
        known = {entry.name for entry in self.models}
        new = tuple(entry for entry in other.models if entry.name not in known)
        return Catalog(models=self.models + new)

    def find(self, name: str) -> Entry:
        """Raises Unsupported, with the names that exist."""
        for entry in self.models:
            if entry.name == name:
                return entry
        raise Unsupported(
            f"the catalogue has no model {name[:80]!r}",
            field="model",
            value=name,
            remedy="use one of " + ", ".join(entry.name for entry in self.models),
        )


def parse_catalog(text: str, origin: str) -> Catalog:
    """Raises ModelRefused, with the place in the file, where the text is no catalogue."""
    try:
        return Catalog.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise _not_understood(origin, str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _not_understood(origin, f"{where}: {first['msg']}") from error


def _not_understood(origin: str, reason: str) -> ModelRefused:
    return ModelRefused(
        f"{origin} is no model catalogue: {reason}",
        field="catalogue",
        value=origin,
        remedy="compare it with edge_node/models/catalog.yaml",
    )
