"""`heliovox policy diff`, as a reviewer and a script see it."""

import io
import json
import re
import sys
from pathlib import Path

import pytest

from heliovox.cli.main import main
from shared.regions.file import default_world_path

SHIPPED = default_world_path().read_text()
GOLDEN = """
regions
  ~ eu-central  certifications: -c5

zones
  + ireland
  + usa

policies
  ~ anywhere
      data health
        lost    us-east, us-west  (by health.forbid)
      tenant bank, shop; callers in fr; from 2037-01-01
        lost    us-east, us-west  (by bank.forbid)
  ~ default
      data health
        lost    us-east, us-west  (by health.forbid)
      tenant bank, shop; callers in fr; from 2037-01-01
        lost    us-east, us-west  (by bank.forbid)
        when_full: wait -> refuse
  ~ eu-health, in-only, ksa-only
      tenant bank, shop; callers in fr; from 2037-01-01
        when_full: wait -> refuse
  ~ eu-only
      every session
        lost    eu-west  (by eu-only.forbid)
        overflow: -eu-central
      every session, but not: tenant bank, shop; callers in fr; from 2037-01-01
        wait_s: 10 -> 20
        when_full: refuse -> call_back

dates
  + 2037-01-01  rule bank begins
"""
EU_ONLY = "  eu-only:\n    allow: [eu]\n    overflow: {zones: [eu]}\n    when_full: refuse"
EU_ONLY_THEN = """\
  eu-only:
    allow: [eu]
    forbid: [ireland]
    overflow: {zones: []}
    when_full: call_back
    wait_s: 20"""
BANK = """\
  bank:
    when: {tenants: [bank, shop], countries: [fr]}
    from: 2037-01-01
    forbid: [usa]
    when_full: refuse
default_policy: default"""
HEALTH = "    when: {data: [health]}\n"
SWAPS = {
    EU_ONLY: EU_ONLY_THEN,
    HEALTH: f"{HEALTH}    forbid: [usa]\n",
    "  ksa: [sa]\n": "  ksa: [sa]\n  usa: [us]\n  ireland: [ie]\n",
    "[iso27001, c5]": "[iso27001]",
    "default_policy: default": BANK,
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(SHIPPED)
    text = SHIPPED
    for old, new in SWAPS.items():
        assert old in text
        text = text.replace(old, new, 1)
    Path("b.yaml").write_text(text)
    return tmp_path


def test_a_change_is_told_by_whom_it_is_about(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "diff", "a.yaml", "b.yaml"]) == 1
    said = capsys.readouterr()
    first, rest = said.out.split("\n", 1)
    assert re.fullmatch(r"a\.yaml \([0-9a-f]{12}\) -> b\.yaml \([0-9a-f]{12}\)", first)
    assert rest == GOLDEN
    assert said.err == ""


def test_the_same_from_standard_input(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git hands it over."""
    other = "# another comment\n" + SHIPPED
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(other.encode())))
    assert main(["policy", "diff", "-", "a.yaml"]) == 0
    assert capsys.readouterr().out.endswith("\n\nmean the same to every session\n")
    assert main(["policy", "diff", "-", "-"]) == 2


def test_a_script_gets_one_line(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", "--json", "a.yaml", "b.yaml"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["same"] is False
    [eu] = [one for one in told["policies"] if one["name"] == "eu-only"]
    assert eu["changes"][0]["change"]["lost"] == [{"region": "eu-west", "clause": "eu-only.forbid"}]
    assert main(["policy", "diff", "--json", "b.yaml", "b.yaml"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True


def test_errors_of_either_file_are_told_as_lint_tells_them(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.yaml").write_text("policies: {}\n")
    for order in (["bad.yaml", "a.yaml"], ["a.yaml", "bad.yaml"], ["a.yaml", "none.yaml"]):
        assert main(["policy", "diff", *order]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(("bad.yaml:1: ", "none.yaml:1: cannot be read"))


def test_what_is_over_is_looked_at_on_demand(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = "  old: {when: {tenants: [x]}, until: 2020-01-01, wait_s: 3}\ndefault_policy"
    Path("old.yaml").write_text(SHIPPED.replace("default_policy", rule, 1))
    assert main(["policy", "diff", "a.yaml", "old.yaml"]) == 0
    assert main(["policy", "diff", "a.yaml", "old.yaml", "--from", "2019-06-01"]) == 1
    assert main(["policy", "diff", "a.yaml", "old.yaml", "--from", "ever"]) == 1
    assert "until 2020-01-01" in capsys.readouterr().out
    assert main(["policy", "diff", "a.yaml", "old.yaml", "--from", "soon"]) == 2
