"""`heliovox models`, as a script sees it: what it prints, and its exit codes."""

import argparse
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from heliovox.cli import models
from heliovox.cli.models_text import ProgressBar
from tests.support.model_server import Faults, ModelServer

CATALOG = """
models:
  - name: mine
    task: recognition
    family: transducer
    title: Mine
    languages: [en, de]
    sample_rate: 16000
    licence: MIT
    source: here
    artefacts: [{{url: "{url}/mine.tar", sha256: null}}]
    files: {{tokens: tokens.txt}}
"""


def archive() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("mine/tokens.txt")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"a 0"))
    return out.getvalue()


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    models.register(parser.add_subparsers())
    args = parser.parse_args(["models", *words])
    code: int = args.run(args)
    return code


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELIOVOX_MODELS_DIR", str(tmp_path))
    (tmp_path / "catalog.yaml").write_text(CATALOG.format(url="http://127.0.0.1:1"))
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_list_names_every_model(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json") == 0
    rows = {row["name"]: row for row in printed(capsys)}
    assert rows["vad-silero"]["embedded"]
    assert rows["vad-silero"]["task"] == "vad"
    assert rows["mine"]["languages"] == ["en", "de"]
    assert (rows["mine"]["installed"], rows["mine"]["files"]) == (False, {})
    assert not rows["mine"]["checksum_known"]
    for row in rows.values():
        assert all(Path(path).is_absolute() for path in row["files"].values())


def test_list_is_a_table_for_people(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "TASK", "LANGUAGES", "SIZE", "HERE", "LICENCE"]
    assert any(line.startswith("zipformer-en-20m ") and "128 MB" in line for line in lines)


def test_pull_verify_and_damage(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer({"mine.tar": archive()}).running() as server:
        mirror = ("--mirror", server.url)
        assert run("pull", "mine", *mirror) == 5
        assert "--trust-new" in capsys.readouterr().err
        assert run("pull", "mine", "--trust-new", "--json", *mirror) == 0
    (row,) = printed(capsys)
    assert row["files"] == {"tokens": str(store / "mine" / "tokens.txt")}
    assert run("verify", "mine", "--json") == 0
    assert printed(capsys) == [{"name": "mine", "ok": True, "problems": []}]
    (store / "mine" / "tokens.txt").write_text("b 0")
    assert run("verify", "mine") == 1
    assert "tokens.txt has changed" in capsys.readouterr().out


def test_without_a_network_the_exit_code_says_so(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer({}, Faults(statuses=[404])).running() as server:
        code = run("pull", "mine", "--trust-new", "--json", "--mirror", server.url)
    assert code == 3
    error = printed(capsys)["error"]
    assert error["code"] == "pull_failed"
    assert error["remedy"]


@pytest.mark.parametrize("command", ["pull", "verify"])
def test_an_unknown_name_is_refused(
    store: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(command, "nonesuch") == 5
    assert "zipformer-en-20m" in capsys.readouterr().err


def test_import_takes_an_archive_from_a_folder(
    store: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("stick")
    (folder / "mine.tar").write_bytes(archive())
    assert run("import", "mine", str(folder)) == 5
    assert run("import", "mine", str(folder), "--trust-new") == 0
    assert capsys.readouterr().out == f"mine: {store / 'mine'}\n"


def test_bench_is_for_recognisers_that_are_here(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bench", "mine") == 5
    assert "heliovox models pull mine" in capsys.readouterr().err
    assert run("bench", "vad-silero") == 5
    assert "not a recogniser" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--batch", "0"), ("--seconds", "-1"), ("--seconds", "nan")])
def test_bench_refuses_senseless_numbers(words: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        run("bench", "mine", *words)


def test_without_the_nodes_packages_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "edge_node.models.store", None)
    assert run("list") == 1
    assert "pip install 'heliovox[edge,cpu]'" in capsys.readouterr().err


def test_progress_is_drawn_on_a_terminal_alone() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out, expected in ((Terminal(), "50% of 2 MB"), (io.StringIO(), "")):
        bar = ProgressBar("mine", out)
        bar(1_000_000, 2_000_000)
        bar(1_000_000, 2_000_000)
        bar.close()
        assert out.getvalue().count("mine") == bool(expected)
        assert expected in out.getvalue()
