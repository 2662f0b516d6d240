"""A proof in pieces is the proof in one go."""

import json
from pathlib import Path

import pytest

from prover.crew import prove
from prover.journal import Journal, JournalRefused, fingerprint
from prover.tally import Found, Tally

SEED = "5"


class Enough(Exception):
    """Raised where somebody pulls the plug."""


def cut_short(path: Path, decisions: int) -> None:
    def told(tally: Tally) -> None:
        if tally.decisions >= decisions:
            raise Enough

    with pytest.raises(Enough):
        prove(SEED, 4000, 1, told, Journal(path, SEED, "sources"))


def test_it_goes_on_from_where_it_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    cut_short(path, 1000)
    begun = Journal(path, SEED, "sources")
    assert 1000 <= begun.tally.decisions < 4000
    tally, whole = prove(SEED, 4000, 1, lambda _: None, begun)
    assert whole
    at_once, _ = prove(SEED, 4000, 1, lambda _: None)
    assert (tally.counts, tally.reasons) == (at_once.counts, at_once.reasons)


def test_what_was_found_is_kept_with_the_way_back_to_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "p", SEED, "a")
    found = Tally()
    found.counts["decisions"] = 3
    found.accuse(Found("placed", "so", SEED, 7, 2, {"names": {"x"}}))
    journal.add(7, found)
    journal.keep()
    again = Journal(tmp_path / "p", SEED, "a")
    assert (again.tally.violations, again.done) == (1, {7})
    assert again.tally.found[0].context == {"names": ["x"]}


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"done": [[1]], "tally": {}}', '{"done": [], "tally": {"moon": 1}}'],
)
def test_what_is_no_journal_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "proof.json"
    path.write_text(content)
    with pytest.raises(JournalRefused, match=r"proof\.json is no journal"):
        Journal(path, SEED, "a")


@pytest.mark.parametrize(("seed", "sources"), [("6", "a"), (SEED, "b")])
def test_of_another_seed_or_router_nothing_is_taken(
    tmp_path: Path, seed: str, sources: str
) -> None:
    Journal(tmp_path / "p", SEED, "a").keep()
    with pytest.raises(JournalRefused, match="of another proof"):
        Journal(tmp_path / "p", seed, sources)
    assert json.loads((tmp_path / "p").read_text())["seed"] == SEED


def test_a_changed_source_is_another_fingerprint(tmp_path: Path) -> None:
    for name in ("control_plane/fleet", "control_plane/placement", "shared/policy",
                 "shared/regions", "prover"):  # fmt: skip
        (tmp_path / name).mkdir(parents=True)
    for name in ("geography", "capacity"):
        (tmp_path / "shared" / f"{name}.py").write_text("")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    (tmp_path / "shared" / "policy" / "new.py").write_text("x = 1")
    assert fingerprint(tmp_path) != before
