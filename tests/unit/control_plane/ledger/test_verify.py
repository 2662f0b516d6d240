"""Honest bundles verify, whatever the hour was like; and the verifier needs nothing but Python."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.ledger import verify
from shared.ledger.canonical import canonical
from tests.support.ledgers import (
    HOUR_MS,
    RECOVERS,
    START_MS,
    Span,
    can_go,
    chaotic_hour,
    files_of,
    written,
)
from tests.support.verdicts import verdict

VERIFIER = Path(verify.__file__)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_a_chaotic_hour_verifies(seed: int) -> None:
    """Nodes killed and started again, relays, moves, clocks apart, policies changed under way."""
    story = chaotic_hour(seed)
    said = verdict(files_of(story))
    assert said["first"] is None
    assert said["records"] == sum(len(node.lines) for node in story.nodes)
    assert said["sessions"] == len({line.session for line in story.centre.sessions.values()})


@given(seed=st.integers(0, 2**32))
@settings(max_examples=12)
def test_sessions_that_go_on_elsewhere_verify(seed: int) -> None:
    """After lost connections and dead nodes, and back again: nothing counts twice or nowhere."""
    said = verdict(files_of(chaotic_hour(seed, among=RECOVERS)))
    assert said["first"] is None


def test_who_counts_on_after_it_went_elsewhere_is_found() -> None:
    """A node that does not give a session up counts what another one counts, too."""
    story = chaotic_hour(1, acts=4)
    here, there = story.nodes[0], story.nodes[1]
    opened = (story.open(here) for _ in range(20))
    session = next(one for one in opened if can_go(one, here, there))
    story.listen(8000)
    story.goes_on(session, there, here.meters[session].samples.heard // 2)
    story.listen(8000)
    for node in (here, there):
        node.write(node.meters.pop(session).close("finish"), story.now_ms)
        story.listen(1)
        node.head(story.centre, story.now_ms)
    assert "count twice" in verdict(files_of(story))["first"]


def test_the_hour_is_chaotic() -> None:
    lines = [line for seed in range(5) for node in chaotic_hour(seed).nodes for line in node.lines]
    for told in (b'"node_died"', b'"role":"relay"', b'"moved"', b'"data":"health"'):
        assert sum(told in line for line in lines) > 3


@given(seed=st.integers(0, 99), begin=st.integers(0, HOUR_MS), length=st.integers(0, HOUR_MS))
@settings(max_examples=12)
def test_any_part_of_it_verifies(seed: int, begin: int, length: int) -> None:
    """Records then begin at a head that was signed before, wherever the time is cut."""
    story = chaotic_hour(seed, acts=30)
    span = Span(START_MS + begin, START_MS + begin + length)
    assert verdict(files_of(story, span))["first"] is None


def test_it_runs_without_any_package(tmp_path: Path) -> None:
    bundle = written(files_of(chaotic_hour(1)), tmp_path)
    command = [sys.executable, "-I", "-S", str(VERIFIER), str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[-1])["problems"] == 0


def test_it_imports_nothing_of_ours() -> None:
    code = f"import runpy, sys; runpy.run_path({str(VERIFIER)!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    tops = {name.split(".")[0] for name in done.stdout.decode().split()}
    third = {name for name in tops if name not in sys.stdlib_module_names and name != "__main__"}
    assert not {name for name in third if not name.startswith(("_", "sitecustomize"))}, third


def test_it_knows_the_key_that_one_knows_from_elsewhere(tmp_path: Path) -> None:
    story = chaotic_hour(1, acts=5)
    files = files_of(story)
    key = json.loads(files["statement.json"])["key"]
    assert verdict(files, centre_key=key)["centre_key_compared"] is True
    said = verdict(files, centre_key="0" * 64)
    assert "not under the one given" in said["first"]


def test_it_reads_the_key_of_a_pem_file(tmp_path: Path) -> None:
    story = chaotic_hour(1, acts=5)
    public = story.centre.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert verdict(files_of(story), centre_key=pem)["problems"] == 0


def test_what_callers_know_is_compared() -> None:
    story = chaotic_hour(1, acts=20)
    done = [line for line in story.centre.sessions.values() if line.state == "ended"]
    ends = {
        record["session"]: record["total"]
        for node in story.nodes
        for record in map(json.loads, node.lines)
        if record["what"] == "closed" and record["total"] is not None
    }
    line = {"session": done[0].session, "samples": ends[done[0].session]}
    files = files_of(story)
    assert verdict(files, receipts=canonical(line) + b"\n")["problems"] == 0
    less = canonical(line | {"samples": 1}) + b"\n"
    assert "has another total" in verdict(files, receipts=less)["first"]
    other = canonical(line | {"session": "nobody"}) + b"\n"
    assert "is in no ledger" in verdict(files, receipts=other)["first"]


@pytest.mark.parametrize(
    "name", ["statement.json", "heads.jsonl", "sessions.jsonl", "worlds.jsonl"]
)
def test_a_missing_file_is_named(name: str) -> None:
    files = files_of(chaotic_hour(1, acts=5))
    del files[name]
    assert verdict(files)["first"].startswith(name)


def test_no_bundle_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        verify.main([str(tmp_path / "nothing")])
    assert ended.value.code == 2
