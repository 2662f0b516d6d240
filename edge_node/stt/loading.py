"""From a model's folder to an engine. All is checked first: a wrong file is a typed error."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as ort

from edge_node.stt.decoding import Decoder
from edge_node.stt.engine import Engine, Profile
from edge_node.stt.features import BINS, SAMPLE_RATE
from edge_node.stt.geometry import Geometry
from edge_node.stt.graph_files import default_graph, read_graphs
from edge_node.stt.metadata import CtcFacts, ctc_facts, positive, transducer_geometry
from edge_node.stt.model_files import Folder, Variant, open_folder, sha256_of
from edge_node.stt.network import Network
from edge_node.stt.onnx import OnnxEngine
from edge_node.stt.runtime import Provider, session_from
from edge_node.stt.sherpa import SherpaEngine, check_provider, recognise_ctc, recognise_transducer
from edge_node.stt.vocabulary import read_vocabulary
from shared.errors import ModelRefused

Backend = Literal["onnx", "sherpa"]
_CTC, _TRANSDUCER = "model", ("encoder", "decoder", "joiner")


def load_engine(
    folder: Path, backend: Backend, variant: Variant = "fp32", provider: Provider = "cpu"
) -> Engine:
    """The engine, warm.

    Args:
        folder: model.onnx (or encoder, decoder, joiner), tokens.txt, optionally model.yaml, and
            decoding graphs (`graphs/NAME.arpa`).
        backend: `onnx` for streaming CTC models, with graphs; `sherpa` for transducers too.
        variant: fp32, or int8 (`model.int8.onnx`).
        provider: where to compute.

    Raises:
        ModelRefused: a file that is absent, truncated, of another type, of a newer format or with
            other metadata; a provider that is not there.
    """
    if backend == "sherpa":
        check_provider(provider)
    model = open_folder(folder)
    if model.find(_CTC, variant) is None and model.find(_TRANSDUCER[0], variant) is not None:
        return _load_transducer(model, backend, variant, provider)
    path = model.part(_CTC, variant)
    session = session_from(path, provider if backend == "onnx" else "cpu")
    facts = ctc_facts(path.name, session.get_modelmeta().custom_metadata_map)
    _check_shapes(path.name, session, facts)
    tokens = model.file("tokens.txt")
    vocabulary = read_vocabulary(_text(tokens), facts.symbols)
    profile = _profile(model, path, facts.geometry, variant)
    if backend == "onnx":
        graphs = read_graphs(model, vocabulary)
        profile = replace(profile, graphs=tuple(graphs), graph=default_graph(model, graphs))
        return _onnx(session, profile, facts, Decoder(vocabulary, graphs), provider)
    return SherpaEngine(recognise_ctc(path, tokens, provider), profile, facts.geometry)


def _onnx(
    session: ort.InferenceSession,
    profile: Profile,
    facts: CtcFacts,
    decoder: Decoder,
    provider: Provider,
) -> Engine:
    channel, time = (np.zeros(dims, np.float32) for dims in (facts.channel_dims, facts.time_dims))
    zero = (channel, time, np.zeros((), np.int64))
    network = Network(session, provider)
    return OnnxEngine(network, profile, facts.geometry, decoder, zero, provider)


def _load_transducer(
    model: Folder, backend: Backend, variant: Variant, provider: Provider
) -> Engine:
    if backend != "sherpa":
        raise ModelRefused(
            f"model {model.name} is a transducer: the {backend} engine runs streaming CTC models",
            field="backend",
            value=backend,
            remedy="load it with backend sherpa",
        )
    parts = [model.part(stem, variant) for stem in _TRANSDUCER]
    encoder, decoder, joiner = (_metadata(path) for path in parts)
    geometry = transducer_geometry(parts[0].name, encoder)
    for field in ("vocab_size", "context_size"):
        positive(parts[1].name, decoder, field)
    positive(parts[2].name, joiner, "joiner_dim")
    tokens = model.file("tokens.txt")
    read_vocabulary(_text(tokens))  # some have symbols that the decoder never says
    profile = _profile(model, parts[0], geometry, variant)
    return SherpaEngine(recognise_transducer(parts, tokens, provider), profile, geometry)


def _metadata(path: Path) -> dict[str, str]:
    found: dict[str, str] = session_from(path, "cpu").get_modelmeta().custom_metadata_map
    return found


def _check_shapes(name: str, session: ort.InferenceSession, facts: CtcFacts) -> None:
    """Raises ModelRefused where inputs are not those of the form (a wrong one ends sherpa-onnx)."""
    wanted = [(BINS, facts.geometry.window), (), facts.channel_dims, facts.time_dims, ()]
    there = [tuple(one.shape[1:]) for one in session.get_inputs()]
    outputs = len(session.get_outputs())
    if outputs != len(wanted) or not _agree(there, wanted):
        raise ModelRefused(
            f"{name} has inputs {there} and {outputs} outputs; its metadata say {wanted} and 5",
            field="model",
            value=name,
            remedy="another type of model, or another model's metadata: choose another file",
        )


def _agree(there: Sequence[tuple[object, ...]], wanted: Sequence[tuple[int, ...]]) -> bool:
    """Whether shapes are equal; a dimension that only has a name is any size."""
    if [len(shape) for shape in there] != [len(shape) for shape in wanted]:
        return False
    pairs = zip(chain(*there), chain(*wanted), strict=True)
    return all(size == want or isinstance(size, str) for size, want in pairs)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ModelRefused(
            f"{path.name} is no text: {error}",
            field="tokens.txt",
            remedy="fetch the model again and verify its checksum",
        ) from error


def _profile(model: Folder, path: Path, geometry: Geometry, variant: Variant) -> Profile:
    return Profile(
        model=model.name,
        model_hash=sha256_of(path),
        languages=model.card.languages,
        sample_rate=SAMPLE_RATE,
        chunk_samples=geometry.chunk_samples,
        edge_samples=0,
        delay_samples=geometry.delay_samples,
        frame_samples=geometry.frame_samples,
        tail_samples=model.card.tail_ms * SAMPLE_RATE // 1000,
        variant=variant,
    )
