"""The graphs in a model's folder, and what is said of those that are broken."""

from pathlib import Path

import pytest

from edge_node.stt.graph_files import default_graph, read_graphs
from edge_node.stt.model_files import open_folder, sha256_of
from edge_node.stt.vocabulary import Vocabulary
from shared.errors import ModelRefused

VOCABULARY = Vocabulary(("▁yes", "▁no", "<blk>"))
ARPA = "\\data\\\nngram 1=2\n\n\\1-grams:\n-0.3\tyes\n-0.3\tno\n\\end\\\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "graphs").mkdir()
    for name in ("telephone", "digits"):
        (tmp_path / "graphs" / f"{name}.arpa").write_text(ARPA)
    return tmp_path


def test_graphs_are_found_by_name(model: Path) -> None:
    graphs = read_graphs(open_folder(model), VOCABULARY)
    assert list(graphs) == ["digits", "telephone"]
    assert graphs["digits"].digest == sha256_of(model / "graphs" / "digits.arpa")


def test_a_model_may_have_none(tmp_path: Path) -> None:
    assert read_graphs(open_folder(tmp_path), VOCABULARY) == {}


def test_the_card_names_the_default(model: Path) -> None:
    assert default_graph(open_folder(model), ["digits"]) == ""
    (model / "model.yaml").write_text("graph: digits")
    assert default_graph(open_folder(model), ["digits"]) == "digits"
    with pytest.raises(ModelRefused, match=r"digits\.arpa"):
        default_graph(open_folder(model), [])


@pytest.mark.parametrize("broken", [b"", b"\xff\xfe", ARPA[:-30].encode(), b"scale 99\n" * 2])
def test_a_broken_graph_is_refused_by_name(model: Path, broken: bytes) -> None:
    (model / "graphs" / "digits.arpa").write_bytes(broken)
    with pytest.raises(ModelRefused, match=r"graphs/digits\.arpa") as caught:
        read_graphs(open_folder(model), VOCABULARY)
    assert caught.value.field == "graph"


def test_the_card_is_believed_over_the_graph(model: Path) -> None:
    (model / "model.yaml").write_text(f"sha256: {{graphs/digits.arpa: {'0' * 64}}}")
    with pytest.raises(ModelRefused, match="sha256"):
        read_graphs(open_folder(model), VOCABULARY)
