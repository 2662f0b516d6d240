"""What a model file says of itself, read strictly: sherpa-onnx ends the process over an error."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_node.stt.geometry import Geometry, fits
from shared.errors import ModelRefused

REMEDY = "export it again as sherpa-onnx wants its streaming models, or choose another model"


@dataclass(frozen=True, slots=True)
class CtcFacts:
    """A streaming CTC model in NeMo's form."""

    geometry: Geometry
    symbols: int
    channel_dims: tuple[int, int, int]
    time_dims: tuple[int, int, int]


def ctc_facts(name: str, metadata: Mapping[str, str]) -> CtcFacts:
    """Raises ModelRefused: a field is absent, no positive number, or they do not fit together."""

    def number(field: str) -> int:
        return positive(name, metadata, field)

    if (kind := metadata.get("normalize_type", "")) not in ("", "NA"):
        raise ModelRefused(
            f"{name} wants features normalised {kind}: no stream can know its own mean beforehand",
            field="normalize_type",
            value=kind,
            remedy=REMEDY,
        )
    geometry = Geometry(number("window_size"), number("chunk_shift"), number("subsampling_factor"))
    check_geometry(name, geometry)
    channel, time = (
        (number(f"{cache}_dim1"), number(f"{cache}_dim2"), number(f"{cache}_dim3"))
        for cache in ("cache_last_channel", "cache_last_time")
    )
    return CtcFacts(geometry, number("vocab_size") + 1, channel, time)


def transducer_geometry(name: str, metadata: Mapping[str, str]) -> Geometry:
    """The encoder's walk: zipformer, conformer and lstm name it otherwise than NeMo does."""
    fields = (
        ("window_size", "chunk_shift") if "window_size" in metadata else ("T", "decode_chunk_len")
    )
    window, shift = (positive(name, metadata, field) for field in fields)
    geometry = Geometry(window, shift)
    check_geometry(name, geometry)
    return geometry


def positive(name: str, metadata: Mapping[str, str], field: str) -> int:
    """A field of the metadata as a number from 1."""
    text = metadata.get(field, "")
    if not text.isdecimal() or int(text) < 1:
        said = f"{field}={text!r}" if text else f"no {field}"
        raise ModelRefused(
            f"{name} has {said} in its metadata", field=field, value=text, remedy=REMEDY
        )
    return int(text)


def check_geometry(name: str, geometry: Geometry) -> None:
    """Raises ModelRefused where no engine could walk so."""
    if (why := fits(geometry)) is not None:
        raise ModelRefused(f"{name}: {why}", field="metadata", value=str(geometry), remedy=REMEDY)
