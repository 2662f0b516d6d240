"""What has to be deleted survives the node, and a file that is none does no harm."""

from pathlib import Path

import pytest

from edge_node.keeping.passing import Passing, Traces

TRACES = Traces("s1", ("hv.content.r.n.s1.transcripts",), ("eu-central", "eu-west"))


def test_it_is_there_until_it_is_over(tmp_path: Path) -> None:
    passing = Passing(tmp_path / "passing")
    assert passing.left() == []
    assert passing.begun(TRACES)
    assert passing.begun(TRACES)
    assert Passing(tmp_path / "passing").left() == [TRACES]
    passing.over("s1")
    passing.over("s1")
    assert passing.left() == []


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'{"session": "s2"}'])
def test_a_file_that_is_none_is_removed_and_said(
    tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    passing = Passing(tmp_path)
    passing.begun(TRACES)
    (tmp_path / "s2").write_bytes(text)
    assert passing.left() == [TRACES]
    assert not (tmp_path / "s2").exists()
    assert "not a note of what is kept" in caplog.text


def test_one_that_speaks_of_another_session_is_none(tmp_path: Path) -> None:
    passing = Passing(tmp_path)
    passing.begun(TRACES)
    (tmp_path / "s1").rename(tmp_path / "s2")
    assert passing.left() == []
