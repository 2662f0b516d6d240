"""A model's decoding graphs: `graphs/NAME.arpa` in its folder."""

import hashlib
from collections.abc import Collection

from edge_node.stt.graph import Graph
from edge_node.stt.model_files import Folder
from edge_node.stt.ngram import read_arpa
from edge_node.stt.vocabulary import Vocabulary
from shared.errors import ModelRefused

_LARGEST_BYTES = 32 << 20


def read_graphs(folder: Folder, vocabulary: Vocabulary) -> dict[str, Graph]:
    """All of them by name, in the order of their names.

    Raises:
        ModelRefused: one that is no n-gram, too large, or has another checksum than the card says.
    """
    paths = sorted((folder.path / "graphs").glob("*.arpa"))
    return {path.stem: _read(folder, path.name, vocabulary) for path in paths}


def default_graph(folder: Folder, graphs: Collection[str]) -> str:
    """Of sessions that name none, by the model's card. Raises ModelRefused: it is not there."""
    if (graph := folder.card.graph) and graph not in graphs:
        raise _refused(f"{graph}.arpa", "is what the card names as the default, and is not there")
    return graph


def _read(folder: Folder, name: str, vocabulary: Vocabulary) -> Graph:
    path = folder.file(f"graphs/{name}")
    if path.stat().st_size > _LARGEST_BYTES:
        raise _refused(name, f"is larger than {_LARGEST_BYTES >> 20} MB")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(name, f"is no text: {error}") from error
    try:
        return Graph(read_arpa(text), vocabulary.symbols, hashlib.sha256(data).hexdigest())
    except ModelRefused as error:
        raise _refused(name, error.message.removeprefix("the graph ")) from error


def _refused(name: str, why: str) -> ModelRefused:
    return ModelRefused(
        f"graphs/{name} {why}",
        field="graph",
        value=name,
        remedy="build it again (python -m training.stt.graphs), or take the file away",
    )
