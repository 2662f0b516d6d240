"""`heliovox policy explain` and `schema`: who may go where, for people and for scripts."""

import json
from pathlib import Path
from typing import Any

import pytest

from heliovox.cli.main import main

WORLD = """
regions:
  north: {place: {lat: 60, lon: 10}, time_zone: UTC, jurisdiction: no, tiers: {hot: 1}}
  south: {place: {lat: 45, lon: 9}, time_zone: UTC, jurisdiction: it, tiers: {hot: 1}}
zones:
  norway: [no]
policies:
  default:
    allow: [everywhere]
    prefer: [norway]
    overflow: {zones: [everywhere], from_load: 0.8}
    after_expiry_s: 600
    when_forbidden: move
    recovery_s: 60
  home: {allow: [norway], overflow: {zones: []}, when_full: wait, wait_s: 3}
  dated: {allow: [everywhere], overflow: {zones: [norway]}, until: 2026-01-01}
rules:
  health: {when: {data: [health]}, allow: [norway], restricted: true, from: 2026-06-01}
  bank:
    when: {tenants: [bank], countries: [it]}
    recovery_s: 0
    keep: {audio: {zones: [norway], days: 7}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("HELIOVOX_REGIONS", raising=False)
    path = tmp_path / "regions.yaml"
    path.write_text(WORLD)
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["policy", "explain", "--json", *arguments]) == 0
    [line] = capsys.readouterr().out.splitlines()
    rows: list[dict[str, Any]] = json.loads(line)["rows"]
    return rows


def test_every_policy_is_a_row_and_every_rule_that_changes_it(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "explain", file, "--at", "2026-07-01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{file}, version ")
    assert lines[0].endswith(", at 2026-07-01")
    rows = [line.split() for line in lines[2 : lines.index("", 2)]]
    first, later = ("refuse,", "from", "80%"), ("+600", "s", "move")
    assert rows == [
        ["POLICY", "RULES", "WHEN", "FULL", "EXPIRED", "FORBIDDEN", "LOST", "north", "south"],
        ["default", "-", *first, *later, "+60", "s", "first+", "home+"],
        ["default", "health", *first, "restricted", "move", "+60", "s", "first+", "[1]"],
        ["default", "bank", *first, *later, "ends", "first+", "home+"],
        ["home", "-", "wait", "3", "s", "refuse", "end", "node's", "home", "[2]"],
        ["home", "health", "wait", "3", "s", "restricted", "end", "node's", "home", "[2]"],
        ["home", "bank", "wait", "3", "s", "refuse", "end", "ends", "home", "[2]"],
        ["dated", "-", "-", "-", "-", "-", "-", "-"],
    ]
    assert "[1]    health.allow" in lines
    assert "[2]    home.allow" in lines
    assert "dated: policy dated ended at 2026-01-01" in lines


def test_a_script_gets_all_of_it(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys, file, "--policy", "default", "--at", "2026-07-01")
    assert [row["rules"] for row in rows] == [[], ["health"], ["bank"]]
    assert rows[1]["cells"]["south"] == {
        "home": False, "overflow": False, "preferred": False, "removed_by": "health.allow",
    }  # fmt: skip
    assert rows[2]["keep"] == {"audio": {"regions": ["north"], "days": 7}}
    assert rows[2]["facts"] == {"tenant": "bank", "countries": ["it"]}


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        (["--data", "health", "--at", "2026-05-31"], []),
        (["--data", "health", "--at", "2026-06-01"], ["health"]),
        (["--data", "health", "--at", "2026-06-01T00:00:00+01:00"], []),
        (["--tenant", "bank"], []),
        (["--tenant", "bank", "--country", "IT", "--country", "fr"], ["bank"]),
    ],
)
def test_a_session_is_shown_by_what_is_said_of_it(
    options: list[str], rules: list[str], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [row] = told(capsys, file, "--policy", "default", *options)
    assert row["rules"] == rules


@pytest.mark.parametrize(
    "options",
    [["--policy", "none"], ["--country", "xx"], ["--at", "soon"], ["--data", "A B"]],
)
def test_what_is_asked_wrongly_is_said_in_a_line(
    options: list[str], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "explain", file, *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_with_errors_explains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("regions: {}\n")
    assert main(["policy", "explain", str(bad)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{bad}:1: " in said.err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["required"] == ["regions", "policies"]
