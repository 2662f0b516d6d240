"""`heliovox policy lint`, as an operator and a script see it."""

import json
import sys
from pathlib import Path

import pytest

from heliovox.cli.main import main
from shared.regions.file import default_world_path

BAD = "regions:\n  centre: {}\npolicies:\n  default: {allow: [everywhere], overflo: {}}\n"
ODD = """\
regions:
  here: {place: {lat: 1, lon: 1}, time_zone: UTC, jurisdiction: de, tiers: {hot: 1}}
policies:
  default: {allow: [everywhere]}
"""


@pytest.fixture(autouse=True)
def no_file_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELIOVOX_REGIONS", raising=False)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    return file


def test_the_world_that_ships_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "lint"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{default_world_path()}: well: ")


def test_every_error_is_a_line_that_an_editor_can_follow(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "lint", str(bad)]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert f"{bad}:2: regions.centre.place: is missing; write it" in lines
    [unknown] = [line for line in lines if line.startswith(f"{bad}:4: ")]
    assert "policies.default.overflo: unknown key; did you mean overflow?" in unknown
    assert said.err == f"{bad}: {len(lines)} errors\n"


def test_a_warning_is_said_and_forgiven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = tmp_path / "odd.yaml"
    odd.write_text(ODD)
    assert main(["policy", "lint", str(odd)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{odd}:4: policies.default: warning: is home-only")
    assert "1 warning," in said.err


def test_the_environment_names_the_file_unless_the_command_does(
    bad: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOVOX_REGIONS", str(bad))
    assert main(["policy", "lint"]) == 1
    assert main(["policy", "lint", str(default_world_path())]) == 0
    _ = capsys.readouterr()


def test_a_script_gets_one_line(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "lint", "--json", str(bad)]) == 1
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["ok"], told["file"], told["version"]) == (False, str(bad), None)
    assert {"line", "key", "message", "remedy", "severity", "file"} == told["problems"][0].keys()
    assert main(["policy", "lint", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["problems"]) == (True, [])
    assert len(told["version"]) == 12


def test_a_file_that_is_not_there_is_an_error_like_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "lint", str(tmp_path / "none\x1b.yaml")]) == 1
    said = capsys.readouterr()
    assert "cannot be read" in said.out
    assert "\x1b" not in said.out + said.err


def test_without_the_centres_packages_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shared.regions.file", None)
    assert main(["policy", "lint"]) == 1
    assert "heliovox[control]" in capsys.readouterr().err
