"""A file that is not what it says is refused by name; no process ends over it."""

from pathlib import Path

import onnxruntime
import pytest

from edge_node.models import embedded_folder
from edge_node.stt.loading import Backend, load_engine
from edge_node.stt.model_files import sha256_of
from edge_node.stt.rows_graph import _field, _number, gather_model
from shared.errors import ModelRefused

BACKENDS: tuple[Backend, ...] = ("onnx", "sherpa")


def foreign(metadata: dict[str, str]) -> bytes:
    """A sound ONNX file that is no recogniser, whatever its metadata say."""
    model = gather_model([1])
    for key, value in metadata.items():
        model += _field(14, _field(1, key.encode()) + _field(2, value.encode()))
    return model


CLAIMS = {
    "window_size": "51",
    "chunk_shift": "32",
    "subsampling_factor": "4",
    "vocab_size": "2",
    **{f"cache_last_{cache}_dim{i}": "1" for cache in ("channel", "time") for i in (1, 2, 3)},
}
WRONG: dict[str, bytes] = {
    "empty": b"",
    "text": b"version https://git-lfs.github.com/spec/v1\n",
    "without metadata": foreign({}),
    "metadata of another model": foreign(CLAIMS),
    "a newer format": _number(1, 99) + gather_model([1])[2:],
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_recogniser_is_refused(tmp_path: Path, backend: Backend, name: str) -> None:
    (tmp_path / "model.onnx").write_bytes(WRONG[name])
    (tmp_path / "tokens.txt").write_text("a 0\nb 1\n<blk> 2\n")
    with pytest.raises(ModelRefused, match=r"model\.onnx") as caught:
        load_engine(tmp_path, backend)
    assert caught.value.remedy


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_not_there_is_named(tmp_path: Path, backend: Backend) -> None:
    with pytest.raises(ModelRefused, match="no folder"):
        load_engine(tmp_path / "nowhere", backend)
    with pytest.raises(ModelRefused, match=r"model\.onnx is not there"):
        load_engine(tmp_path, backend)
    with pytest.raises(ModelRefused, match=r"model\.int8\.onnx is not there"):
        load_engine(tmp_path, backend, "int8")


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is here"
)
def test_an_absent_provider_is_refused_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(foreign(CLAIMS))
    with pytest.raises(ModelRefused, match="CPUExecutionProvider") as caught:
        load_engine(tmp_path, "onnx", provider="cuda")
    assert caught.value.field == "provider"
    with pytest.raises(ModelRefused, match="built for: cpu"):
        load_engine(tmp_path, "sherpa", provider="cuda")


def test_the_card_is_believed_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(foreign(CLAIMS))
    (tmp_path / "model.yaml").write_text(f"sha256: {{model.onnx: {'0' * 64}}}")
    with pytest.raises(ModelRefused, match="sha256"):
        load_engine(tmp_path, "onnx")
    (tmp_path / "model.yaml").write_text("sha256: [not, a, map]")
    with pytest.raises(ModelRefused, match=r"model\.yaml"):
        load_engine(tmp_path, "onnx")


def test_a_transducer_is_sent_to_the_other_engine_and_checked_there(tmp_path: Path) -> None:
    for part in ("encoder-epoch-99", "decoder-epoch-99", "joiner-epoch-99"):
        (tmp_path / f"{part}.onnx").write_bytes(foreign({}))
    with pytest.raises(ModelRefused, match="transducer") as caught:
        load_engine(tmp_path, "onnx")
    assert caught.value.field == "backend"
    with pytest.raises(ModelRefused, match="encoder-epoch-99"):
        load_engine(tmp_path, "sherpa")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The embedded model, to be spoiled."""
    source = embedded_folder("stt-en-telephone")
    if not (source / "model.onnx").is_file():
        pytest.skip("stt-en-telephone is not here")
    for name in ("model.onnx", "tokens.txt"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    return tmp_path


@pytest.mark.model
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("part", [0.0001, 0.5, 0.999])
def test_a_truncated_model_is_refused(copied: Path, backend: Backend, part: float) -> None:
    path = copied / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(ModelRefused, match=r"model\.onnx"):
        load_engine(copied, backend)


@pytest.mark.model
@pytest.mark.parametrize("backend", BACKENDS)
def test_tokens_of_another_model_are_refused(copied: Path, backend: Backend) -> None:
    path = copied / "tokens.txt"
    path.write_text("\n".join(path.read_text().splitlines()[1:]))
    with pytest.raises(ModelRefused, match=r"tokens\.txt"):
        load_engine(copied, backend)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelRefused, match=r"tokens\.txt"):
        load_engine(copied, backend)


@pytest.mark.model
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_profile_says_which_weights_these_are(copied: Path, backend: Backend) -> None:
    (copied / "model.yaml").write_text("name: ears\nlanguages: [en, cy]\nlicence: Apache-2.0\n")
    profile = load_engine(copied, backend).profile
    assert profile.model == "ears"
    assert profile.languages == ("en", "cy")
    assert profile.model_hash == sha256_of(copied / "model.onnx")
