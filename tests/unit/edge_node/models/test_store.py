from pathlib import Path

import pytest

from edge_node.models import Store, embedded_folder, find
from edge_node.models.roles import role_of
from edge_node.models.sums import problems, read_sums, write_sums
from shared.errors import Unsupported

SHIPPED = [entry.name for entry in Store().catalog.models if entry.embedded]


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_as_recorded(name: str, tmp_path: Path) -> None:
    """After a change: python -m edge_node.models.sums edge_node/models/embedded/NAME."""
    store = Store(tmp_path)
    if store.installed(name) is None:
        pytest.skip(f"{name} is not in this checkout yet")
    assert store.verify(name) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_has_a_licence_or_a_card(name: str) -> None:
    entry = Store().catalog.find(name)
    assert entry.licence
    if entry.source.startswith("docs/") and embedded_folder(name).is_dir():
        assert (Path(__file__).parents[4] / entry.source).is_file()


def test_the_voice_activity_model_is_found_by_name() -> None:
    assert find("vad-silero") == embedded_folder("vad-silero")
    assert Store().find("vad-silero").files["model"].is_file()


def test_a_store_may_be_elsewhere_and_need_not_exist(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.installed("kokoro-en") is None
    assert store.place("kokoro-en") == tmp_path / "none" / "kokoro-en"
    assert not store.folder.exists()


def test_a_model_that_lacks_a_file_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "kokoro-en").mkdir()
    (tmp_path / "kokoro-en" / "model.onnx").touch()
    assert Store(tmp_path).installed("kokoro-en") is None


def test_a_model_for_another_task_is_no_recogniser(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="for vad"):
        Store(tmp_path).recogniser("vad-silero")


@pytest.mark.parametrize(
    ("file", "role"),
    [("model.onnx", "model"), ("model.int8.onnx", "int8"), ("graph.fst", "graph")],
)
def test_roles_follow_from_names(file: str, role: str) -> None:
    assert role_of(file) == role


def test_sums_are_in_the_form_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a b").write_bytes(b"")
    write_sums(tmp_path)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (tmp_path / "SHA256SUMS").read_text() == f"{empty}  sub/a b\n"
    assert read_sums(tmp_path) == {"sub/a b": empty}
    (tmp_path / "sub" / "a b").unlink()
    assert problems(tmp_path) == ["sub/a b is missing"]


def test_without_a_record_nothing_is_vouched_for(tmp_path: Path) -> None:
    assert "nothing is known" in problems(tmp_path)[0]
