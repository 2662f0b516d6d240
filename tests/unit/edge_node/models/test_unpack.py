import errno
import io
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_node.models.unpack import unpack_tar, unpack_zip
from shared.errors import ModelRefused

FILES = {"model/tokens.txt": b"<blk> 0\n", "model/sub/encoder.onnx": bytes(5000)}


def tar_of(path: Path, infos: Sequence[tuple[tarfile.TarInfo, bytes]], mode: str = "w:bz2") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for info, content in infos:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def plain_tar(path: Path, files: dict[str, bytes], mode: str = "w:bz2") -> Path:
    return tar_of(path, [(tarfile.TarInfo(name), data) for name, data in files.items()], mode)


def plain_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "outer" / "into"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_comes_out_without_the_folder_around_it(
    tmp_path: Path, into: Path, mode: str
) -> None:
    unpack_tar(plain_tar(tmp_path / "a.tar", FILES, mode), into)
    assert tree(into) == {name.removeprefix("model/"): data for name, data in FILES.items()}


def test_a_zip_likewise(tmp_path: Path, into: Path) -> None:
    unpack_zip(plain_zip(tmp_path / "a.zip", FILES), into)
    assert tree(into) == {name.removeprefix("model/"): data for name, data in FILES.items()}


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil"])
def test_no_path_leaves_the_folder(tmp_path: Path, into: Path, name: str) -> None:
    for unpack, archive in (
        (unpack_tar, plain_tar(tmp_path / "a.tar", {"ok": b"1", name: b"2"})),
        (unpack_zip, plain_zip(tmp_path / "a.zip", {"ok": b"1", name: b"2"})),
    ):
        with pytest.raises(ModelRefused, match="leave the folder"):
            unpack(archive, into)
    assert tree(tmp_path / "outer") == {}, "nothing is written where one member is bad"


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_no_links_and_no_devices(tmp_path: Path, into: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("model/link")
    link.type, link.linkname = kind, "/etc/passwd"
    archive = tar_of(tmp_path / "a.tar", [(tarfile.TarInfo("model/a"), b"1"), (link, b"")])
    with pytest.raises(ModelRefused, match="neither a file nor a folder"):
        unpack_tar(archive, into)
    assert tree(into) == {}


def test_no_links_in_a_zip(tmp_path: Path, into: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelRefused, match="neither a file nor a folder"):
        unpack_zip(tmp_path / "a.zip", into)


def test_a_zip_that_understates_a_size_is_refused(tmp_path: Path, into: Path) -> None:
    path = plain_zip(tmp_path / "a.zip", {"big": bytes(100_000)})
    data = path.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(ModelRefused):
        unpack_zip(path, into)
    assert sum(map(len, tree(into).values())) <= 100


@pytest.mark.parametrize("data", [b"", b"not an archive", b"BZh9" + bytes(50), b"PK\x03\x04"])
def test_what_is_no_archive_is_refused_by_name(tmp_path: Path, into: Path, data: bytes) -> None:
    path = tmp_path / "a.tar.bz2"
    path.write_bytes(data)
    for unpack in (unpack_tar, unpack_zip):
        with pytest.raises(ModelRefused) as refused:
            unpack(path, into)
        assert refused.value.value == "a.tar.bz2"


def test_an_empty_archive_is_refused(tmp_path: Path, into: Path) -> None:
    with pytest.raises(ModelRefused, match="empty"):
        unpack_tar(plain_tar(tmp_path / "a.tar", {}), into)


@pytest.mark.parametrize("names", [("a", "a/b", "c"), ("a/b", "a", "c")])
def test_a_file_that_is_a_folder_too_is_refused(
    tmp_path: Path, into: Path, names: tuple[str, ...]
) -> None:
    files = dict.fromkeys(names, b"1")
    for unpack, archive in (
        (unpack_tar, plain_tar(tmp_path / "a.tar", files)),
        (unpack_zip, plain_zip(tmp_path / "a.zip", files)),
    ):
        with pytest.raises(ModelRefused):
            unpack(archive, into)
        shutil.rmtree(into)
        into.mkdir()


def test_a_full_disk_is_not_the_archives_fault(tmp_path: Path, into: Path) -> None:
    archive = plain_tar(tmp_path / "a.tar", FILES)
    with (
        mock.patch.object(Path, "open", side_effect=OSError(errno.ENOSPC, "no space left")),
        pytest.raises(OSError, match="no space left"),
    ):
        unpack_tar(archive, into)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), flip=st.integers(1, 255), cut=st.booleans())
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, flip: int, *, cut: bool
) -> None:
    """Whatever the bytes, a typed error or files below the folder: never another exception."""
    home = tmp_path_factory.mktemp("damaged")
    for unpack, path in (
        (unpack_tar, plain_tar(home / "a.tar", FILES, "w:gz")),
        (unpack_zip, plain_zip(home / "a.zip", FILES)),
    ):
        data = bytearray(path.read_bytes())
        spot = at % len(data)
        data[spot] ^= flip
        path.write_bytes(data[:spot] if cut else data)
        into = home / path.suffix
        into.mkdir()
        try:
            unpack(path, into)
        except ModelRefused:
            continue
    assert {path.parts[len(home.parts)] for path in home.rglob("*")} <= {
        "a.tar",
        "a.zip",
        ".tar",
        ".zip",
    }
