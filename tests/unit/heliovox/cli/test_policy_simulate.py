"""`heliovox policy simulate`, as a reviewer and a merge gate see it."""

import json
from pathlib import Path

import pytest

from heliovox.cli.main import main
from shared.regions.model import RankingRules
from tests.support import simulated
from tests.support.logs import write
from tests.support.simulated import Hour

WORLD = """\
regions:
  eu-central: {place: {lat: 50.1, lon: 8.7}, time_zone: UTC, jurisdiction: de,
               hourly_cost_usd: 1.5, tiers: {hot: 3}}
  eu-west: {place: {lat: 53.3, lon: -6.3}, time_zone: UTC, jurisdiction: ie,
            hourly_cost_usd: 1.0, tiers: {hot: 3}}
  ap-south: {place: {lat: 19.1, lon: 72.9}, time_zone: UTC, jurisdiction: in,
             hourly_cost_usd: 0.5, tiers: {hot: 3}}
  sa-east: {place: {lat: -23.5, lon: -46.6}, time_zone: UTC, jurisdiction: br,
            hourly_cost_usd: 2.0, tiers: {hot: 3}}
zones: {eu: [de, ie]}
policies:
  eu-only: {allow: [eu], overflow: {zones: [eu]}}
  at-home: {allow: [eu], overflow: {zones: []}}
  near: {allow: [everywhere], overflow: {zones: [everywhere], max_added_rtt_ms: 30}}
  anywhere: {allow: [everywhere], overflow: {zones: [everywhere]}}
  early: {allow: [everywhere], overflow: {zones: [everywhere], from_load: 0.7}}
default_policy: eu-only
"""
NARROW = WORLD.replace(
    "anywhere: {allow: [everywhere], overflow: {zones: [everywhere]}}",
    "anywhere: {allow: [eu], overflow: {zones: [eu]}}",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "RANKINGS", (RankingRules(),))
        write(folder / "log", Hour(seed=4, seconds=600).batches())
    (folder / "same.yaml").write_text(WORLD)
    (folder / "narrow.yaml").write_text(NARROW)
    return folder


@pytest.fixture(autouse=True)
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_the_policies_that_were_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    limits = ["--max-refused-share", "0", "--max-moved-share", "0", "--max-added-cost-share", "0"]
    assert main(["policy", "simulate", "log", "--policy", "same.yaml", *limits]) == 0
    said = capsys.readouterr()
    assert "placed elsewhere     0 (0.00%)" in said.out
    assert "0 of " in said.out.splitlines()[1]
    assert said.err == ""


def test_a_merge_is_refused_with_the_limit_the_value_and_who_is_hit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    limits = ["--max-refused-share", "0.01", "--max-moved-share", "0.9"]
    limits += ["--max-added-rtt-p95-ms", "20"]
    assert main(["policy", "simulate", "log", "--policy", "narrow.yaml", *limits]) == 1
    said = capsys.readouterr()
    first, second = said.err.splitlines()
    assert first.startswith("refused share 0.0")
    assert "is above --max-refused-share 0.01: most of it falls on tenant - (" in first
    assert first.endswith("worst in the hour from 1970-01-01T00:00Z")
    assert "--max-added-rtt-p95-ms 20" in second
    for part in ("TENANT ", "HOUR ", "examples", "(anywhere.allow)"):
        assert part in said.out


def test_a_script_gets_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["policy", "simulate", "log", "--policy", "narrow.yaml", "--json"]
    assert main([*command, "--max-moved-share", "0.01"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["ok"] is False
    [exceeded] = told["exceeded"]
    assert exceeded["limit"] == "max_moved_share"
    assert exceeded["value"] == told["total"]["moved"] / told["total"]["sessions"]
    assert {"moved", "refused"} <= {one["change"] for one in told["examples"]}
    assert main(command) == 0


def test_only_some_hours(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["policy", "simulate", "log", "--policy", "same.yaml", "--json"]
    counted = []
    for window in (["--until", "1970-01-01T00:05:00Z"], ["--from", "1970-01-01T00:05:00Z"], []):
        assert main([*command, *window]) == 0
        counted.append(json.loads(capsys.readouterr().out)["total"]["sessions"])
    assert counted[0] + counted[1] == counted[2]
    assert min(counted) > 100
    assert main([*command, "--from", "2001-01-01"]) == 1
    assert "nothing to judge by" in capsys.readouterr().err


def test_a_damaged_log_is_refused_with_the_place_or_read_in_part(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (folder / "log").read_bytes()
    broken = bytearray(whole)
    broken[len(broken) // 2] ^= 1
    (folder / "broken").write_bytes(broken)
    command = ["policy", "simulate", "broken", "--policy", "same.yaml"]
    assert main(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("broken: byte ")
    assert "its check fails" in said.err
    assert "--partial" in said.err
    assert main([*command, "--partial"]) == 0
    said = capsys.readouterr()
    assert "left out: 1 damaged places of the log, " in said.out
    assert "placed elsewhere     0 (0.00%)" in said.out
    (folder / "text").write_text("hello\n")
    for odd in ("text", "nothing-there"):
        assert main(["policy", "simulate", odd, "--policy", "same.yaml", "--partial"]) == 2
    assert "this is no log of decisions" in capsys.readouterr().err


def test_wrong_files_and_limits_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text("policies: {}\n")
    assert main(["policy", "simulate", "log", "--policy", "bad.yaml"]) == 2
    assert "bad.yaml:1: " in capsys.readouterr().err
    for odd in (["--max-moved-share", "-1"], ["--max-moved-share", "some"], ["--mean-s", "0"]):
        with pytest.raises(SystemExit):
            main(["policy", "simulate", "log", "--policy", "same.yaml", *odd])
